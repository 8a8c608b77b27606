// Package guest builds the machine that the bench runs: a small Debian 12 with systemd, Debian's own kernel, the control
// agent of the bench, and gpio-sim, the kernel's simulated GPIO chips, which Debian's kernel leaves out and which is
// therefore compiled here as a module of its own from Debian's kernel sources.
//
// Everything comes from the host's own configured package sources, at build time. Nothing is installed on the host but the
// tools, and nothing of the kernel's sources (GPL-2.0) is part of this repository.
//
// Each step's result is a folder of the cache, named by a hash of all that went into it; a step that is already there is
// not taken again, one that broke off leaves nothing behind but its log.
package guest
