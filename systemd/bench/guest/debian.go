package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// needDebian refuses other systems: their packages, and the libc that the tests are built against, are not the guest's.
func needDebian(release string) error {
	text, err := os.ReadFile(release)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.ReplaceAll(string(text), `"`, ""), "\n")
	if slices.Contains(lines, "ID=debian") && slices.Contains(lines, "VERSION_ID=12") {
		return nil
	}
	return fmt.Errorf("this machine is not Debian 12 (%s says so), and the guest is made of its packages", release)
}

// depends are the packages that a package depends on, in Debian's order.
func depends(ctx context.Context, pkg string) ([]string, error) {
	text, err := ask(ctx, "apt-cache", "depends", pkg)
	if err != nil {
		return nil, err
	}
	return parseDepends(text), nil
}

func parseDepends(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if dep, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok && !strings.HasPrefix(dep, "<") {
			out = append(out, dep)
		}
	}
	return out
}

// depend is the first dependency that begins with prefix.
func depend(ctx context.Context, pkg, prefix string) (string, error) {
	deps, err := depends(ctx, pkg)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(deps, func(d string) bool { return strings.HasPrefix(d, prefix) }); i >= 0 {
		return deps[i], nil
	}
	return "", fmt.Errorf("the package sources of this machine have no %s… for %s: run apt-get update, and see that "+
		"bookworm and bookworm-security are among them", prefix, pkg)
}

// files are the files of packages in the package sources: name, size in bytes, and hash.
func files(ctx context.Context, pkgs []string) ([]debFile, error) {
	text, err := ask(ctx, "apt-get", append([]string{"-qq", "--print-uris", "download"}, pkgs...)...)
	if err != nil {
		return nil, err
	}
	all, err := parseURIs(text)
	if err == nil && len(all) != len(pkgs) {
		err = fmt.Errorf("apt-get names %d files for %d packages", len(all), len(pkgs))
	}
	return all, err
}

type debFile struct {
	name string
	size int64
	hash string
}

func parseURIs(text string) ([]debFile, error) {
	var out []debFile
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "'") {
			continue // a notice
		}
		var uri string
		var f debFile
		if _, err := fmt.Sscan(line, &uri, &f.name, &f.size, &f.hash); err != nil {
			return nil, fmt.Errorf("cannot understand apt-get's %q: %w", line, err)
		}
		out = append(out, f)
	}
	return out, nil
}

// sources are the host's package sources of Debian, as lines of a sources.list. Sources of others stay out of the guest.
func sources(ctx context.Context) (string, error) {
	text, err := ask(ctx, "apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages", "Origin: Debian")
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if lines[0] == "" {
		return "", errors.New("no package source of Debian is configured on this machine, or apt-get update has not been run")
	}
	return strings.Join(lines, "\n") + "\n", nil
}
