#!/bin/sh
# build.sh ARCH DIR: builds DIR/kiosk_VERSION_ARCH.deb for amd64 or arm64, byte for byte the same from the same commit wherever it is built.
set -eu
arch=$1
dir=$(mkdir -p "$2" && cd "$2" && pwd)
cd "$(dirname "$0")/../.."

git rev-parse --quiet --verify HEAD >/dev/null || { echo "build.sh: a package is built from a commit; this is no git repository" >&2; exit 1; }
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
VERSION=0.1.0~git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M).$(git rev-parse --short=12 HEAD)
[ -z "$(git status --porcelain)" ] || VERSION=$VERSION.changed
STAGE=$dir/stage-$arch
ARCH=$arch
export SOURCE_DATE_EPOCH VERSION STAGE ARCH
umask 022
rm -rf "$STAGE"
mkdir -p "$STAGE"

case $arch in
amd64) cc=gcc; [ "$(dpkg --print-architecture)" = amd64 ] || cc=x86_64-linux-gnu-gcc ;;
arm64) cc=gcc; [ "$(dpkg --print-architecture)" = arm64 ] || cc=aarch64-linux-gnu-gcc ;;
*) echo "build.sh: packages are built for amd64 and arm64, not for $arch" >&2; exit 2 ;;
esac
# -trimpath takes the folder out of the program, for Go and for C. The version is the package's: a build of a package knows no git.
CGO_ENABLED=1 GOOS=linux GOARCH=$arch CC=$cc GOFLAGS= "${GO:-go}" build -trimpath -buildvcs=false -buildmode=pie \
	-ldflags "-s -w -X main.release=$VERSION" -o "$STAGE/kiosk" ./kiosk

gzip -9n <systemd/kiosk.1 >"$STAGE/kiosk.1.gz"
{
	printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: the authors of Yuanban\nLicense: Apache-2.0\n'
	printf ' On Debian systems the whole text of the licence is in\n /usr/share/common-licenses/Apache-2.0.\n'
} >"$STAGE/copyright"
printf 'kiosk (%s) unstable; urgency=medium\n\n  * Built from commit %s.\n\n -- Yuanban <yuanban@localhost>  %s\n' \
	"$VERSION" "$(git rev-parse HEAD)" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$STAGE/changelog.Debian.gz"

"${GO:-go}" tool -modfile=systemd/nfpm.mod nfpm package --config systemd/deb/nfpm.yaml --packager deb --target "$dir/kiosk_${VERSION}_$arch.deb"
rm -rf "$STAGE"
