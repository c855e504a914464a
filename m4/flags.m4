dnl flags.m4: compiler flags: warnings, instruments, hardening.

dnl PC_TRY_FLAG(VARIABLE, FLAG, [compile|link]): adds what the compiler takes.
AC_DEFUN([PC_TRY_FLAG], [
AS_VAR_PUSHDEF([cached], [pc_cv_flag_$3_$2])
AC_CACHE_CHECK([whether $CC takes $2], [cached], [
	pc_saved_cflags=$CFLAGS
	pc_saved_ldflags=$LDFLAGS
	AS_IF([test "$3" = link], [LDFLAGS="$LDFLAGS $2"],
		[CFLAGS="$CFLAGS -Werror $2"])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AS_VAR_SET([cached], [yes])], [AS_VAR_SET([cached], [no])])
	CFLAGS=$pc_saved_cflags
	LDFLAGS=$pc_saved_ldflags])
AS_VAR_IF([cached], [yes], [$1="$$1 $2"])
AS_VAR_POPDEF([cached])])

AC_DEFUN([PC_WARNINGS], [
WARN_CFLAGS="-Wall -Wextra -Wshadow -Wstrict-prototypes"
WARN_CFLAGS="$WARN_CFLAGS -Wmissing-prototypes -Wpointer-arith -Wcast-qual"
WARN_CFLAGS="$WARN_CFLAGS -Wwrite-strings -Wformat=2 -Wundef -Wvla"
AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])])

AC_DEFUN([PC_INSTRUMENT], [
INSTRUMENT_CFLAGS=
AS_IF([test "$enable_sanitize" = yes || test "$enable_fuzz" = yes], [
	INSTRUMENT_CFLAGS="-fsanitize=address,undefined dnl
-fno-sanitize-recover=all -fno-omit-frame-pointer"])
AS_IF([test "$enable_fuzz" = memory], [
	INSTRUMENT_CFLAGS="-fsanitize=memory -fsanitize-memory-track-origins dnl
-fno-omit-frame-pointer"])
FUZZ_LDFLAGS=
AS_IF([test "$enable_fuzz" != no], [
	INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fsanitize=fuzzer-no-link"
	AS_IF([test "$enable_fuzz" = fast], [
		INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS dnl
-fno-sanitize-coverage=trace-cmp"])
	FUZZ_LDFLAGS="-fsanitize=fuzzer"
	AC_MSG_CHECKING([for libFuzzer])
	pc_saved_cflags=$CFLAGS
	CFLAGS="$CFLAGS -fsanitize=fuzzer"
	AC_LINK_IFELSE([AC_LANG_SOURCE([[
		#include <stddef.h>
		int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);
		int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
		{ return p && n == (size_t)-1; }]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([--enable-fuzz needs CC=clang with libFuzzer])])
	CFLAGS=$pc_saved_cflags])
AS_IF([test "$enable_coverage" = yes],
	[INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS --coverage"])
AC_SUBST([INSTRUMENT_CFLAGS])
AC_SUBST([FUZZ_LDFLAGS])])

dnl glibc's fortified functions hide accesses from the address sanitizer and
dnl warn without optimization, so they are left out there.
AC_DEFUN([PC_HARDENING], [
HARDEN_CFLAGS=
HARDEN_LDFLAGS=
PC_TRY_FLAG([HARDEN_CFLAGS], [-fPIE], [compile])
PC_TRY_FLAG([HARDEN_CFLAGS], [-fstack-protector-strong], [compile])
PC_TRY_FLAG([HARDEN_CFLAGS], [-fstack-clash-protection], [compile])
PC_TRY_FLAG([HARDEN_LDFLAGS], [-pie], [link])
PC_TRY_FLAG([HARDEN_LDFLAGS], [-Wl,-z,relro,-z,now], [link])
HARDEN_CPPFLAGS=
AS_CASE(["$CFLAGS $INSTRUMENT_CFLAGS"],
	[*-O0*|*-fsanitize*], [],
	[*-O*], [HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
AC_SUBST([HARDEN_CPPFLAGS])
AC_SUBST([HARDEN_CFLAGS])
AC_SUBST([HARDEN_LDFLAGS])])
