/* srtp_libsrtp.c: SRTP by libsrtp2, which has its own rollover counters and
 * replay windows; ours are left empty. Debian's is built on NSS and costs two
 * to seven times as much as srtp_evp.c: it is there to be compared with.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <srtp2/srtp.h>
#include "jingle/media/srtp_private.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static srtp_err_status_t init_status;

static void init_library(void)
{
	init_status = srtp_init();
}

static int status_errno(srtp_err_status_t status)
{
	switch (status) {
	case srtp_err_status_ok:
		return 0;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		return EALREADY;
	case srtp_err_status_auth_fail:
	case srtp_err_status_cipher_fail:
		return EACCES;
	case srtp_err_status_key_expired:
		return EOVERFLOW;
	case srtp_err_status_alloc_fail:
		return ENOMEM;
	default:
		return EIO;
	}
}

static void set_policy(enum srtp_profile profile, srtp_policy_t *p)
{
	switch (profile) {
	case SRTP_PROFILE_CM128_80:
		srtp_crypto_policy_set_rtp_default(&p->rtp);
		srtp_crypto_policy_set_rtcp_default(&p->rtcp);
		break;
	case SRTP_PROFILE_CM128_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&p->rtp);
		srtp_crypto_policy_set_rtcp_default(&p->rtcp);
		break;
	case SRTP_PROFILE_CM256_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
		break;
	case SRTP_PROFILE_GCM128:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtcp);
		break;
	case SRTP_PROFILE_GCM256:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtcp);
		break;
	}
}

static int lib_start(struct srtp *s, const unsigned char *key,
		     const unsigned char *salt)
{
	unsigned char master[SRTP_KEY_MAX + SRTP_SALT_MAX];
	srtp_policy_t policy = { .window_size = SRTP_WINDOW };
	srtp_err_status_t status;
	srtp_t session = NULL;

	pthread_once(&once, init_library);
	if (init_status != srtp_err_status_ok)
		return EIO;
	set_policy(s->form->profile, &policy);
	policy.ssrc.type = s->seals ? ssrc_any_outbound : ssrc_any_inbound;
	memcpy(master, key, s->form->key);
	memcpy(master + s->form->key, salt, s->form->salt);
	policy.key = master;
	status = srtp_create(&session, &policy);
	explicit_bzero(master, sizeof(master));
	s->keys = session;
	return status_errno(status);
}

static void lib_stop(struct srtp *s)
{
	if (s->keys)
		srtp_dealloc(s->keys);
}

static int lib_seal(struct srtp *s, struct srtp_stream *st,
		    struct srtp_packet *p)
{
	int len = (int)p->len, rc;
	srtp_err_status_t status;

	(void)st;
	status = p->rtcp ? srtp_protect_rtcp(s->keys, p->bytes, &len) :
		 srtp_protect(s->keys, p->bytes, &len);
	p->len = (size_t)len;
	rc = status_errno(status);
	return rc == EACCES ? EIO : rc;
}

static int lib_open(struct srtp *s, struct srtp_stream *st,
		    struct srtp_packet *p)
{
	int len = (int)p->len;
	srtp_err_status_t status;

	(void)st;
	status = p->rtcp ? srtp_unprotect_rtcp(s->keys, p->bytes, &len) :
		 srtp_unprotect(s->keys, p->bytes, &len);
	p->len = (size_t)len;
	return status_errno(status);
}

const struct srtp_backend_ops srtp_libsrtp_ops = {
	.start = lib_start,
	.stop = lib_stop,
	.seal = lib_seal,
	.open = lib_open,
};
