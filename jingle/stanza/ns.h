/* ns.h: every namespace string, once. */
#ifndef JINGLE_STANZA_NS_H
#define JINGLE_STANZA_NS_H

#define NS_COMPONENT   "jabber:component:accept"        /* XEP-0114 */
#define NS_CLIENT      "jabber:client"
#define NS_STREAM      "http://etherx.jabber.org/streams"
#define NS_STANZAS     "urn:ietf:params:xml:ns:xmpp-stanzas"
#define NS_STREAMS     "urn:ietf:params:xml:ns:xmpp-streams"
#define NS_JMI         "urn:xmpp:jingle-message:0"      /* XEP-0353 */
#define NS_JINGLE      "urn:xmpp:jingle:1"              /* XEP-0166 */
#define NS_JINGLE_ERR  "urn:xmpp:jingle:errors:1"
#define NS_RTP         "urn:xmpp:jingle:apps:rtp:1"     /* XEP-0167 */
#define NS_RTP_INFO    "urn:xmpp:jingle:apps:rtp:info:1"
#define NS_RTP_AUDIO   "urn:xmpp:jingle:apps:rtp:audio"
#define NS_RTP_VIDEO   "urn:xmpp:jingle:apps:rtp:video"
#define NS_ICE_UDP     "urn:xmpp:jingle:transports:ice-udp:1" /* XEP-0176 */
#define NS_DTLS        "urn:xmpp:jingle:apps:dtls:0"    /* XEP-0320 */
#define NS_RTCP_FB     "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"   /* XEP-0293 */
#define NS_HDREXT      "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0" /* XEP-0294 */
#define NS_GROUPING    "urn:xmpp:jingle:apps:grouping:0" /* XEP-0338 */
#define NS_SSMA        "urn:xmpp:jingle:apps:rtp:ssma:0" /* XEP-0339 */
#define NS_OMEMO_DTLS \
	"http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification"
#define NS_DISCO_INFO  "http://jabber.org/protocol/disco#info" /* XEP-0030 */
#define NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"
#define NS_CAPS        "http://jabber.org/protocol/caps" /* XEP-0115 */
#define NS_DELAY       "urn:xmpp:delay"                 /* XEP-0203 */
#define NS_CARBONS     "urn:xmpp:carbons:2"             /* XEP-0280 */
#define NS_HINTS       "urn:xmpp:hints"                 /* XEP-0334 */
#define NS_SID         "urn:xmpp:sid:0"                 /* XEP-0359 */
#define NS_VERSION     "jabber:iq:version"              /* XEP-0092 */
#define NS_PING        "urn:xmpp:ping"                  /* XEP-0199 */
#define NS_REGISTER    "jabber:iq:register"             /* XEP-0077 */
#define NS_RECEIPTS    "urn:xmpp:receipts"              /* XEP-0184 */
#define NS_IDLE        "urn:xmpp:idle:1"                /* XEP-0319 */
#define NS_VCARD       "vcard-temp"                     /* XEP-0054 */
#define NS_GATEWAY     "jabber:iq:gateway"              /* XEP-0100 */
#define NS_TIME        "urn:xmpp:time"                  /* XEP-0202 */
#define NS_ROSTER      "jabber:iq:roster"               /* RFC 6121, 2 */
#define NS_BLOCKING    "urn:xmpp:blocking"              /* XEP-0191 */
#define NS_FORWARD     "urn:xmpp:forward:0"             /* XEP-0297 */
#define NS_PRIVILEGE_1 "urn:xmpp:privilege:1"           /* XEP-0356 */
#define NS_PRIVILEGE_2 "urn:xmpp:privilege:2"           /* the same */
#define NS_RELAY       "urn:privatecall:relay:0"        /* doc/protocol.md */
#define NS_QUERY       "urn:privatecall:query:0"        /* the same */

#endif
