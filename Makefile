# make demo      the 24-hour machine with simulated hardware       make test     everything, the browser included
# make demo-pad  the window rating pad                             make screens  a picture of every screen, into screens/
# make bench     benchmarks with their floors beside them          make fuzz     each fuzz target for FUZZTIME

GO       ?= go
LISTEN   ?= 127.0.0.1:8080
FUZZTIME ?= 30s
KIOSK    := build/kiosk
PACKAGES := gcc libc6-dev fonts-noto-cjk
BROWSER  := chromium

.PHONY: demo demo-pad test check screens bench fuzz kill-test build setup setup-browser

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
	$(GO) vet ./...
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
