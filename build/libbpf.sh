#!/usr/bin/env bash
# build/libbpf.sh: builds dist/native/ARCH/libgomapgrow-bpf.so, one shared object with libbpf, libelf and zlib from the
# upstream sources in Debian's archive and our own src/kernel/native/*.c. It exports libbpf's public functions and gmg_*, and needs only an old libc.
# build/libbpf.sh --sources: only the libraries and their headers, in the cache folder. ARCH=arm64 cross-builds them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
. "$here/lib/cache.sh"
. "$here/lib/private-apt.sh"
. "$here/lib/native.sh"

# The name of the machine that it is built for, when it is another one.
cross=$(cross_prefix)
CC="${CC:-${cross}gcc}" AR="${cross}ar" RANLIB="${cross}ranlib" STRIP="${cross}strip"
# -std: newer defaults redirect strtol and sscanf to functions that old C libraries lack. _FORTIFY_SOURCE does likewise.
FLAGS=(-O2 -g0 -fPIC -ffunction-sections -fdata-sections -fvisibility=hidden -U_FORTIFY_SOURCE -fstack-protector-strong)

zlib=$(native_prefix zlib "$ZLIB_VERSION")
elfutils=$(native_prefix elfutils "$ELFUTILS_VERSION")
libbpf=$(native_prefix libbpf "$LIBBPF_VERSION")

# fetch_source PACKAGE VERSION: the upstream tarball of Debian's source package, as $CACHE/sources/PACKAGE-VERSION/*.orig.tar.*. It stays the
# same over all Debian revisions of that version, while the other files of a revision leave the mirrors as soon as the next one enters, at times
# before the lists say so. The lists, which are signed, have its checksum.
fetch_source() (
	folder="$CACHE/sources/$1-$2"
	if [ -d "$folder" ]; then exit 0; fi
	cache_lock "apt-$NATIVE_SUITE-deb-src"
	export APT_TYPE=deb-src
	if [ -d "$folder" ]; then exit 0; fi
	tmp=$(cache_tmp "$1")
	trap 'rm -rf "$tmp"' EXIT
	suite_update "$NATIVE_SUITE"
	# 'URI' NAME SIZE HASH
	files=$(suite_apt "$NATIVE_SUITE" source --print-uris --download-only "$1")
	read -r uri name _ hash < <(grep -F " $1_$2.orig.tar." <<<"$files" | grep -v '\.asc ') ||
		fail "wanted the upstream source of $1 $2 in $NATIVE_SUITE; found $(grep -oE "[^ ]+\.dsc " <<<"$files")"
	mkdir "$tmp/files"
	(cd "$tmp/files" && /usr/lib/apt/apt-helper -q -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=4 \
		download-file "$(tr -d "'" <<<"$uri")" "$tmp/files/$name" "$hash" >&2)
	echo "took $name" >&2
	mkdir -p "$CACHE/sources"
	mv -T "$tmp/files" "$folder"
)

compile_zlib() {
	(cd "$1" && CC="$CC" AR="$AR" RANLIB="$RANLIB" CFLAGS="${FLAGS[*]}" ./configure --static --prefix="$2" && make -j"$(nproc)" libz.a && make install)
}

compile_elfutils() {
	(
		cd "$1"
		# -D__thread=: libelf's one variable of each thread becomes one for all, since only one of ours calls it. It would need glibc's loader by its name, which is
		# not there with musl.
		./configure --prefix="$2" --disable-nls --disable-debuginfod --disable-libdebuginfod --without-zstd --without-lzma \
			--without-bzlib --disable-symbol-versioning --disable-demangler ${cross:+--host="${cross%-}"} CC="$CC" \
			CFLAGS="${FLAGS[*]} -Wno-error -D__thread=" CPPFLAGS="-I$zlib/include" LDFLAGS="-L$zlib/lib"
		# libelf's makefile also links a shared library, which nothing here needs: name what is.
		make -j"$(nproc)" -C lib libeu.a
		make -j"$(nproc)" -C libelf libelf.a
		install -D -m 644 -t "$2/lib" libelf/libelf.a lib/libeu.a
		install -D -m 644 -t "$2/include" libelf/libelf.h libelf/gelf.h libelf/elf.h libelf/nlist.h
	)
}

compile_libbpf() {
	make -j"$(nproc)" -C "$1/src" BUILD_STATIC_ONLY=1 NO_PKG_CONFIG=1 PREFIX="$2" LIBDIR="$2/lib" CC="$CC" AR="$AR" \
		CFLAGS="${FLAGS[*]} -std=gnu11 -I$elfutils/include -I$zlib/include" install install_uapi_headers
	cp "$1/src/libbpf.map" "$2/lib/"
}

# compile PACKAGE VERSION PREFIX: unpacks, checks and builds one library into its prefix, unless that is done already.
compile() (
	cache_lock "native-$1"
	if [ -d "$3" ]; then exit 0; fi
	fetch_source "$1" "$2"
	tmp=$(cache_tmp "$1")
	mkdir "$tmp/prefix"
	# The trap runs where the output of what failed goes into the log.
	exec 3>&2
	echo "building $1 $2" >&2
	trap 'status=$?; [ $status = 0 ] || tail -n 40 "$tmp/log" >&3; rm -rf "$tmp"; exit $status' EXIT
	{
		mkdir "$tmp/source"
		tar -C "$tmp/source" --strip-components=1 -xf "$CACHE/sources/$1-$2"/*.orig.tar.*
		"compile_$1" "$tmp/source" "$tmp/prefix"
	} >"$tmp/log" 2>&1
	mkdir -p "$(dirname "$3")"
	mv -T "$tmp/prefix" "$3"
)

# version_script: what the shared object may show.
version_script() {
	echo '{ global:'
	grep -oE '^[[:space:]]+[a-z_0-9]+;' "$libbpf/lib/libbpf.map"
	echo 'gmg_*; local: *; };'
}

link() (
	out="$top/dist/native/$(native_arch)/libgomapgrow-bpf.so"
	tmp=$(cache_tmp link)
	trap 'rm -rf "$tmp"' EXIT
	objects=()
	for source in "$here"/native/*.c "$top"/src/kernel/native/*.c; do
		[ -e "$source" ] || continue
		object="$tmp/$(basename "$(dirname "$source")")-$(basename "$source" .c).o"
		"$CC" "${FLAGS[@]}" -std=gnu11 -Wall -Wextra -Werror -I"$libbpf/include" -c -o "$object" "$source"
		objects+=("$object")
	done
	version_script >"$tmp/exports.map"
	"$CC" -shared -o "$tmp/library.so" -Wl,-soname,libgomapgrow-bpf.so -Wl,--version-script="$tmp/exports.map" \
		-Wl,-e,gmg_watchman_start -Wl,--gc-sections -Wl,--no-undefined -Wl,-Bsymbolic -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed \
		"${objects[@]}" -Wl,--whole-archive "$libbpf/lib/libbpf.a" -Wl,--no-whole-archive \
		"$elfutils/lib/libelf.a" "$elfutils/lib/libeu.a" "$zlib/lib/libz.a"
	"$STRIP" --strip-unneeded "$tmp/library.so"
	"$here/check-native.sh" "$tmp/library.so"
	mkdir -p "$(dirname "$out")"
	# Renamed, not written into: a running program may have the old file mapped.
	chmod 755 "$tmp/library.so"
	cp "$tmp/library.so" "$out.new"
	mv "$out.new" "$out"
)

compile zlib "$ZLIB_VERSION" "$zlib"
compile elfutils "$ELFUTILS_VERSION" "$elfutils"
compile libbpf "$LIBBPF_VERSION" "$libbpf"
[ "${1:-}" = --sources ] || link
