/* leg_pack.c: descriptions kept small. A browser's video takes 9 KB as XML, of
 * which nine tenths are the same words again and again: each of those is one
 * byte that no XML has (XML 1.0, 2.2). Kept as long as a call can be
 * re-entered, thousands of them; a general compressor needs a library, and
 * does no better on so little.
 */
#include "jingle/session/leg_private.h"

#define FB "<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' "
#define SSMA "xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' "

/* By their byte. Rows of the store have them: none may change, or restored
 * calls are read wrong. Not 0, nor tab and line ends, which XML has. */
static const char *const words[' '] = {
	[1] = FB "type='goog-remb'/>" FB "type='transport-cc'/>"
	      FB "subtype='fir' type='ccm'/>" FB "type='nack'/>"
	      FB "subtype='pli' type='nack'/></payload-type>",
	[2] = FB "type='transport-cc'/>",
	[3] = FB "type='",
	[4] = FB "subtype='",
	[5] = "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='",
	[6] = "' uri='urn:ietf:params:rtp-hdrext:",
	[7] = "' uri='http://www.webrtc.org/experiments/rtp-hdrext/",
	[8] = "' uri='http://www.ietf.org/id/"
	      "draft-holmer-rmcat-transport-wide-cc-extensions-01'/>",
	[11] = "<source " SSMA "ssrc='",
	[12] = "'><parameter name='cname' value='",
	[14] = "'/><parameter name='msid' value='",
	[15] = "'/></source>",
	[16] = "<ssrc-group " SSMA "semantics='FID'><source ssrc='",
	[17] = "'/></ssrc-group>",
	[18] = "<stream xmlns='urn:xmpp:jingle:apps:rtp:msid:0' id='",
	[19] = "<payload-type name='",
	[20] = "' channels='1' id='",
	[21] = "' clockrate='90000'>",
	[22] = "' clockrate='8000'/>",
	[23] = "<payload-type name='rtx' channels='1' id='",
	[24] = "'/></payload-type>",
	[25] = "<parameter name='level-asymmetry-allowed' value='1'/>"
	       "<parameter name='packetization-mode' value='",
	[26] = "'/><parameter name='profile-level-id' value='",
	[27] = "<parameter name='",
	[28] = "' value='",
	[29] = "' clockrate='90000'><parameter name='apt' value='",
	[30] = "<rtcp-mux/><rtcp-reduced-size/>",
	[31] = "</payload-type>",
};

/* The longest word that `text` begins with; 0: none. */
static unsigned word_at(const char *text, size_t *len_r)
{
	unsigned i, best = 0;
	size_t len;

	*len_r = 0;
	for (i = 1; i < ' '; i++) {
		if (!words[i] || words[i][0] != *text)
			continue;
		len = strlen(words[i]);
		if (len > *len_r && strncmp(text, words[i], len) == 0) {
			best = i;
			*len_r = len;
		}
	}
	return best;
}

const char *leg_pack(struct arena *a, const char *text)
{
	char *packed = arena_bytes(a, strlen(text) + 1), *o = packed;
	unsigned word;
	size_t len;

	if (!packed)
		return NULL;
	while (*text) {
		word = word_at(text, &len);
		*o++ = word ? (char)word : *text;
		text += word ? len : 1;
	}
	*o = 0;
	return packed;
}

/* NULL: the byte is itself. */
static const char *word_of(char byte)
{
	return (unsigned char)byte < ' ' ? words[(unsigned char)byte] : NULL;
}

size_t leg_unpacked_len(const char *packed)
{
	size_t len = 0;

	for (; *packed; packed++)
		len += word_of(*packed) ? strlen(word_of(*packed)) : 1;
	return len;
}

const char *leg_unpack(struct arena *a, const char *packed)
{
	char *text = arena_bytes(a, leg_unpacked_len(packed) + 1), *o = text;

	if (!text)
		return NULL;
	for (; *packed; packed++) {
		if (word_of(*packed))
			o = stpcpy(o, word_of(*packed));
		else
			*o++ = *packed;
	}
	*o = 0;
	return text;
}
