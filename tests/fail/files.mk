# files.mk: every unit test once more, with faults, and the tests written for
# faults: NAME.fail, made by `make fail` from the test's object and from
# copies of ours whose calls for memory and descriptors go to fail.c. For the
# tree with sanitizers. Tests that start programs of their own or make faults
# themselves have their faults in the two drivers; thousands of handshakes, or
# a network that delays, take too long, and test_dtls_srtp_bad and
# test_media_forged have some of each kind. The codecs that test_seeds reads by
# have each a test of their own here.
fail_dir = tests/fail
fail_drivers = tests/fail/fail_golden tests/fail/fail_daemon
fail_without = tests/unit/test_check tests/unit/test_daemon \
	tests/unit/test_daemon_calls tests/unit/test_allowed \
	tests/unit/test_golden tests/unit/test_call_memory \
	tests/unit/test_relay_limits tests/unit/test_srtp_memory \
	tests/unit/test_dtls_srtp tests/unit/test_dtls_srtp_memory \
	tests/unit/test_media_impair tests/unit/test_seeds \
	tests/unit/test_store_log
fail_progs = $(addsuffix .fail,$(filter-out $(fail_without),$(unit_progs)) \
	$(fail_drivers))
EXTRA_PROGRAMS = $(fail_drivers)
fail_objects = $(libdrivers_a_OBJECTS) $(libcore_a_OBJECTS) \
	$(libjingle_a_OBJECTS) $(libprobe_a_OBJECTS)

EXTRA_LIBRARIES = libfail.a
libfail_a_SOURCES = tests/fail/fail.c tests/fail/run.c

fail: $(fail_progs)

libfaulty.a: libprobe.a $(our_libs) mod_privatecall/daemon/main.$(OBJEXT) \
		$(fail_dir)/symbols
	$(AM_V_GEN)rm -rf $@ faulty && mkdir faulty && \
	for object in $(fail_objects); do \
		copy=faulty/`echo $$object | tr / _`; \
		case $$object in \
		jingle/xml/arena.*) cp $$object $$copy; continue;; \
		esac; \
		objcopy --redefine-syms=$(srcdir)/$(fail_dir)/symbols \
			$$object $$copy || exit 1; \
	done && objcopy --redefine-sym main=daemon_main \
		--redefine-syms=$(srcdir)/$(fail_dir)/symbols \
		mod_privatecall/daemon/main.$(OBJEXT) \
		faulty/main.$(OBJEXT) && $(AR) cr $@ faulty/*.$(OBJEXT)

$(fail_progs): %.fail: %.$(OBJEXT) libfail.a libfaulty.a libtestclock.a
	$(AM_V_CCLD)$(LINK) $($(subst /,_,$*)_LDFLAGS) $< \
		-Wl,--whole-archive libfail.a -Wl,--no-whole-archive \
		libfaulty.a libtestclock.a libfaulty.a \
		$(CMOCKA_LIBS) $(all_LIBS) $(media_LIBS)

clean-local:
	rm -rf faulty libfaulty.a $(fail_progs)
