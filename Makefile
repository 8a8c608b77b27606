# make demo      the 24-hour machine with simulated hardware       make test     everything, the browser included
# make demo-pad  the window rating pad                             make screens  a picture of every screen, into screens/
# make bench     benchmarks with their floors beside them          make fuzz     each fuzz target for FUZZTIME
# make vm-test   drivers and daemon in a virtual machine           make check    gofmt, go vet, staticcheck
# make deb       the packages for amd64 and arm64, into build/     make deb-try  install, run and remove one under a real systemd

GO       ?= go
LISTEN   ?= 127.0.0.1:8080
FUZZTIME ?= 30s
KIOSK    := build/kiosk
PACKAGES := gcc libc6-dev fonts-noto-cjk
BROWSER  := chromium

.PHONY: demo demo-pad test check screens bench fuzz kill-test build setup setup-browser deb deb-check deb-try setup-deb setup-nspawn vm-test setup-vm

demo: setup build
	$(KIOSK) demo -role kiosk -listen $(LISTEN)

demo-pad: setup build
	$(KIOSK) demo -role pad -listen $(LISTEN)

build:
	@mkdir -p build
	$(GO) build -o $(KIOSK) ./kiosk

# The race detector everywhere; the browser's tests and the kill test drive the binary built here.
test: setup-browser build check
	$(GO) test -race -timeout 20m ./...

check: setup
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./... && $(GO) vet -tags live ./devices/... && $(GO) vet -tags vm ./systemd/...
	$(GO) tool staticcheck ./...

screens: setup-browser build
	rm -rf screens && mkdir -p screens
	SCREENS_DIR=$(CURDIR)/screens $(GO) test -count=1 -timeout 20m -run 'TestScreens|TestBrowser' ./ui/... ./kiosk/
	@echo "pictures are in screens/"

bench: setup build
	$(GO) test -run '^$$' -bench . -benchmem -timeout 20m ./...

fuzz: setup
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done

# The kill test alone, as often as KILLS says.
KILLS ?= 200
kill-test: setup build
	KILLS=$(KILLS) $(GO) test -count=1 -v -timeout 60m -run TestKill ./kiosk/

# The packages of this commit. Their recipe, and why: systemd/README.md
DEB_ARCHES ?= amd64 arm64
deb: setup setup-deb
	@for a in $(DEB_ARCHES); do GO="$(GO)" systemd/deb/build.sh $$a build || exit 1; done

# Built twice, the second time from a clone in another folder with an empty build cache: every byte must be the same.
deb-check: deb
	rm -rf build/again && git clone --quiet --no-hardlinks . build/again/source
	@for a in $(DEB_ARCHES); do \
	  GO="$(GO)" GOCACHE=$(CURDIR)/build/again/cache build/again/source/systemd/deb/build.sh $$a build/again || exit 1; done
	@for f in build/again/*.deb; do cmp "$$f" "build/$${f##*/}" && echo "the same twice: $${f##*/}" || exit 1; done
	rm -rf build/again

# The package of this machine in a throw-away Debian under systemd-nspawn: installed, upgraded, run, killed, removed, purged. Needs root.
deb-try: setup setup-nspawn
	GO="$(GO)" systemd/deb/build.sh $$(dpkg --print-architecture) build/try
	$(GO) test -count=1 -v -timeout 30m -tags nspawn -run TestNspawn ./systemd -deb "$$(ls -t $(CURDIR)/build/try/*.deb | head -1)"

# The bench of virtual machines: systemd/README.md. VM_FLAGS="-cuts 100" cuts the power as often.
VM_PACKAGES := qemu-system-x86 qemu-utils mmdebstrap busybox-static kmod cpio zstd xz-utils gcc-12 make libelf1 e2fsprogs nbdkit
vm-test: setup setup-vm
	$(GO) test -tags vm -count=1 -v -timeout 120m ./systemd/bench $(VM_FLAGS)

setup-vm: setup
	@$(call need,$(VM_PACKAGES))

setup-deb: setup
	@$(call need,gcc-aarch64-linux-gnu libc6-dev-arm64-cross)

setup-nspawn: setup
	@$(call need,systemd-container mmdebstrap)

# What is missing is installed when that is possible, else the command to run is said.
setup:
	@command -v $(GO) >/dev/null || { echo "Go 1.26 or later is needed: https://go.dev/dl/ (Debian 12 has an older one)"; exit 1; }
	@$(call need,$(PACKAGES))

setup-browser: setup
	@$(call need,$(BROWSER))

define need
missing=""; for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
if [ -n "$$missing" ]; then \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "installing:$$missing"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
  else echo "please run: sudo apt-get update && sudo apt-get install -y --no-install-recommends$$missing"; exit 1; fi; \
fi
endef
