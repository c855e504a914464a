# lib.sh: the shell part that ./check and ./quickstart share: what must be
# installed, how the tree is built, a Prosody of our own, a network of our own.
#
# What programs in tests/e2e/ may rely on:
#	BUILD_DIR   the build folder, absolute: privatecalld-test and
#	            privatecallctl are in it
#	PROSODY     the prosody program, to be run with a configuration of its
#	            own; never the one of a running service
#	PROSODYCTL  likewise
#	PROSODY_MODULES  a folder with the modules of Debian's prosody-modules
#	EJABBERD    a folder with the programs erl, erlc, dialyzer and
#	            ejabberdctl of an ejabberd of our own
#	CHROMIUM    the browser
#	COTURN      the TURN server, as a program
#	PRIVATECALL_NETNS  1: inside a network of its own, loopback up

top=$(cd "$(dirname "$0")" && pwd)
build=$top/build
cores=$(nproc 2>/dev/null || echo 2)
jobs=${JOBS:-$cores}
unset MAKEFLAGS MAKELEVEL

# package, or package=command where another package may bring the command.
build_packages="autoconf automake make=make gcc=gcc libc6-dev binutils=nm
	pkg-config=pkg-config libexpat1-dev libuv1-dev libconfuse-dev
	uthash-dev libjansson-dev libidn-dev libsqlite3-dev libssl-dev
	libsrtp2-dev libcmocka-dev libstrophe-dev scdoc=scdoc"
check_packages="clang=clang libclang-rt-14-dev=clang llvm=llvm-symbolizer
	xz-utils=xz patch=patch spin=spin"
node_packages="nodejs=node npm=npm openssl=openssl ca-certificates
	iproute2=ip lua-check=luacheck"
browser_packages="chromium=chromium fonts-liberation"
# The other end of a browser's calls: tests/e2e/clients/aiortc.mjs.
aiortc_packages="python3-aiortc"

die()
{
	echo "$*" >&2
	exit 1
}

now()
{
	date +%H:%M:%S
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "This needs root, and there is no sudo: $*"
	fi
}

have_package()
{
	case $1 in
	*=*) command -v "${1#*=}" >/dev/null && return 0 ;;
	esac
	dpkg-query -W -f '${Status}\n' "${1%%=*}" 2>/dev/null |
		grep -q '^install ok installed$'
}

# Installing must not restart what runs already: needrestart is told so.
apt_install()
{
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get install -y -q --no-install-recommends "$@"
}

# need PACKAGE...: installs what is missing. No package given here starts or
# stops a service; the server comes by private_prosody.
need()
{
	missing=
	for p in "$@"; do
		have_package "$p" || missing="$missing ${p%%=*}"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null ||
		die "Please install what these Debian packages hold:$missing"
	mkdir -p "$build/log"
	echo "$(now) installing$missing"
	if ! apt_install $missing >"$build/log/install.log" 2>&1; then
		as_root apt-get update -q >>"$build/log/install.log" 2>&1 || :
		apt_install $missing >>"$build/log/install.log" 2>&1 || {
			tail -n 15 "$build/log/install.log" >&2
			die "Installing failed: build/log/install.log"
		}
	fi
}

# unpack NAME PACKAGE...: Debian's packages into build/NAME.new/root; debs/
# beside it keeps the archives for need_depends. They are not installed: that
# would start services. The caller has set dir to build/NAME.
unpack()
{
	what=$1
	shift
	command -v apt-get >/dev/null || die "This needs Debian's packages."
	echo "$(now) unpacking $what into build/$what"
	rm -rf "$dir.new" "$dir"
	mkdir -p "$dir.new/debs" "$build/log"
	(
		cd "$dir.new/debs" || exit
		apt-get download -q "$@" || {
			as_root apt-get update -q
			apt-get download -q "$@" || exit
		}
		for deb in *.deb; do
			dpkg-deb -x "$deb" ../root || exit
		done
	) >"$build/log/$what.log" 2>&1 || {
		tail -n 5 "$build/log/$what.log" >&2
		die "$what could not be fetched: build/log/$what.log"
	}
}

# need_depends GREP...: installs what the unpacked depend on, of names that
# `grep -E GREP...` finds.
need_depends()
{
	need $(for deb in "$dir.new"/debs/*.deb; do
			dpkg-deb -f "$deb" Depends
		done | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/[ \t]//g' |
		grep -E "$@" | sort -u)
	rm -rf "$dir.new/debs"
}

# private_prosody: finds or makes a Prosody that touches no service. One that
# is installed is used as a program. Else the package is unpacked below build/
# and never installed, so that no unit, user, port or file of the system is
# touched; only its libraries are installed.
private_prosody()
{
	if [ -n "${PROSODY:-}" ]; then
		return 0
	fi
	dir=$build/prosody
	if [ ! -x "$dir/bin/prosody" ]; then
		if [ -x /usr/bin/prosody ]; then
			PROSODY=/usr/bin/prosody
			PROSODYCTL=/usr/bin/prosodyctl
			export PROSODY PROSODYCTL
			return 0
		fi
		unpack_prosody
	fi
	PROSODY=$dir/bin/prosody
	PROSODYCTL=$dir/bin/prosodyctl
	export PROSODY PROSODYCTL
}

# private_prosody_modules: Debian's prosody-modules, below build/: one of them
# is wanted (XEP-0356), and none is to be loaded by a Prosody of this machine.
private_prosody_modules()
{
	dir=$build/prosody-modules
	PROSODY_MODULES=$dir/root/usr/lib/prosody/modules
	export PROSODY_MODULES
	[ ! -d "$dir" ] || return 0
	unpack prosody-modules prosody-modules
	rm -rf "$dir.new/debs"
	mv "$dir.new" "$dir"
}

unpack_prosody()
{
	command -v apt-get >/dev/null || die "Please install Prosody 0.12."
	unpack prosody prosody
	need_depends -v '^(adduser|ssl-cert|lsb-base|init-system-helpers)$'
	mkdir "$dir.new/bin"
	lua=$dir/root/usr/lib/prosody
	for p in prosody prosodyctl; do
		sed "s,^CFG_SOURCEDIR=.*,CFG_SOURCEDIR='$lua';,
			s,^CFG_PLUGINDIR=.*,CFG_PLUGINDIR='$lua/modules/';,
			s,^CFG_CONFIGDIR=.*,CFG_CONFIGDIR='$dir/none';,
			s,^CFG_DATADIR=.*,CFG_DATADIR='$dir/none';," \
			"$dir.new/root/usr/bin/$p" >"$dir.new/bin/$p"
		chmod +x "$dir.new/bin/$p"
	done
	mv "$dir.new" "$dir"
}

# private_coturn: Debian's, below build/: its package would start a service.
private_coturn()
{
	if [ -z "${COTURN:-}" ]; then
		dir=$build/coturn
		if [ ! -x "$dir/root/usr/bin/turnserver" ]; then
			unpack coturn coturn
			need_depends '^lib'
			mv "$dir.new" "$dir"
		fi
		COTURN=$dir/root/usr/bin/turnserver
		export COTURN
	fi
}

# private_ejabberd: ejabberd and its Erlang, below build/. They are not
# installed: their packages would start services, ejabberd's own and epmd.
private_ejabberd()
{
	if [ -z "${EJABBERD:-}" ]; then
		dir=$build/ejabberd
		[ -x "$dir/bin/ejabberdctl" ] || unpack_ejabberd
		EJABBERD=$dir/bin
		export EJABBERD
	fi
}

unpack_ejabberd()
{
	unpack ejabberd $(apt-cache depends --recurse --no-recommends \
		--no-suggests --no-conflicts --no-breaks --no-replaces \
		--no-enhances ejabberd erlang-dialyzer |
		grep -E '^(erlang-|ejabberd$)' | sort -u)
	need_depends '^lib'
	ejabberd_programs
	mv "$dir.new" "$dir"
}

# The scripts among its programs hold absolute paths, and the user that the
# package would have made; the others look for erl beside themselves.
ejabberd_programs()
{
	erlang=$dir/root/usr/lib/erlang
	libs=$(cd "$dir.new/root" && echo usr/lib/*/ejabberd-*/ebin)
	libs=$dir/root/${libs%%/ejabberd-*}
	mkdir "$dir.new/bin"
	cd "$dir.new/root"
	sed "s,ROOTDIR=/usr/lib/erlang,ROOTDIR=$erlang,
		s,^prog=,export ERL_LIBS='$libs'; prog=," \
		usr/lib/erlang/bin/erl >../bin/erl
	sed "s,^ERL=.*,ERL='$dir/bin/erl',; s,^EPMD=.*,EPMD='$dir/none',
		s,^INSTALLUSER=.*,INSTALLUSER=,
		s,^ERL_LIBS=.*,ERL_LIBS='$libs'," \
		usr/sbin/ejabberdctl >../bin/ejabberdctl
	for p in erlc dialyzer; do
		cat >../bin/$p <<-END
		#!/bin/sh
		$(echo $p | tr a-z A-Z)_EMULATOR='$dir/bin/erl' \\
			exec '$erlang/bin/$p' "\$@"
		END
	done
	chmod +x ../bin/*
	cd "$top"
}

find_browser()
{
	CHROMIUM=${CHROMIUM:-$(command -v chromium || :)}
	export CHROMIUM
}

# npm_current FOLDER: installs exactly what its lock file says, once. npm 11
# refuses a lock file that lacks packages meant for other systems; then npm
# install takes the same versions from it and leaves the file alone.
npm_current()
{
	[ -f "$top/$1/package-lock.json" ] || return 0
	sum=$(cksum <"$top/$1/package-lock.json")
	[ "$(cat "$top/$1/node_modules/.lock-sum" 2>/dev/null)" != "$sum" ] ||
		return 0
	mkdir -p "$build/log"
	echo "$(now) npm ci in $1"
	(
		cd "$top/$1"
		options="--no-audit --no-fund --ignore-scripts"
		npm ci $options || npm install --no-save $options
	) >"$build/log/npm.log" 2>&1 || {
		grep -E '^npm error .' "$build/log/npm.log" | head -n 8 >&2
		die "npm ci failed in $1: build/log/npm.log"
	}
	echo "$sum" >"$top/$1/node_modules/.lock-sum"
}

# configure_in FOLDER OPTION...: configures once, again on other options.
configure_in()
{
	dir=$1
	shift
	[ ! -f "$dir/Makefile" ] || [ "$(cat "$dir/.options")" != "$*" ] ||
		return 0
	mkdir -p "$dir"
	rm -f "$dir/Makefile" "$dir/.options"
	(cd "$dir" && "$top/configure" --quiet "$@") || return 1
	echo "$*" >"$dir/.options"
}

# build_tree: ./configure if needed, then the programs, in build/. One at a
# time: a second ./check or ./quickstart waits here.
build_tree()
{
	mkdir -p "$build/log"
	(
		flock 9
		"$top/autogen.sh" --if-needed &&
		configure_in "$build" --enable-werror &&
		make -C "$build" -s -j"$jobs" Makefile &&
		make -C "$build" -s -j"$jobs" all
	) 9>"$build/.lock" >"$build/log/build.log" 2>&1
	status=$?
	BUILD_DIR=$build
	export BUILD_DIR
	return $status
}

# in_netns COMMAND...: runs it in a network of its own where that is permitted,
# else as it is.
in_netns()
{
	if [ "$(id -u)" = 0 ]; then
		own="unshare -n"
		drop=
	else
		own="unshare -Un --map-current-user --keep-caps"
		drop="setpriv --inh-caps=-all --ambient-caps=-all"
	fi
	if $own ip link set lo up 2>/dev/null; then
		PRIVATECALL_NETNS=1 $own sh -c \
			'ip link set lo up && exec "$@"' sh $drop "$@"
	else
		PRIVATECALL_NETNS=0 "$@"
	fi
}
