#!/bin/sh
# list.sh: tests/files.mk names every unit test and fuzz target there is.
. "${top_srcdir:-.}/tests/style/common.sh"
sh tests/list.sh --print | cmp -s - tests/files.mk ||
	fault "tests/files.mk is not current: run ./autogen.sh"
finish
