package guest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cache keeps the results of steps.
type cache struct {
	dir string
	say func(format string, args ...any)
}

func (c *cache) logs() string { return filepath.Join(c.dir, "log") }

// key is a short hash of everything that a step's result depends on.
func key(of ...string) string {
	h := sha256.New()
	for _, s := range of {
		fmt.Fprintf(h, "%d:%s,", len(s), s) // so that ab+c is not a+bc
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// step returns the folder NAME-KEY. If it is not there, do fills a folder, which gets that name once it is complete;
// results of the same step under other keys are then removed.
func (c *cache) step(ctx context.Context, name, key string, do func(ctx context.Context, s *work) error) (string, error) {
	done := filepath.Join(c.dir, name+"-"+key)
	if _, err := os.Stat(done); err == nil {
		c.say("%s: in the cache (%s)", name, filepath.Base(done))
		return done, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	began := time.Now()
	s, err := c.begin(name)
	if err != nil {
		return "", err
	}
	defer s.end()
	if err := do(ctx, s); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if err := os.Rename(s.out, done); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	c.say("%s: built in %.1f s", name, time.Since(began).Seconds())
	return done, c.prune(name, done)
}

// prune removes what the step made from other inputs.
func (c *cache) prune(name, keep string) error {
	old, err := filepath.Glob(filepath.Join(c.dir, name+"-*"))
	if err != nil {
		return err
	}
	for _, dir := range old {
		if rest := strings.TrimPrefix(filepath.Base(dir), name+"-"); dir != keep && !strings.Contains(rest, "-") {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// work is a step under way.
type work struct {
	out string // what becomes the result
	tmp string // scratch, gone at the end
	log *os.File
	say func(format string, args ...any)
}

func (c *cache) begin(name string) (*work, error) {
	s := &work{out: filepath.Join(c.dir, "tmp", name), tmp: filepath.Join(c.dir, "tmp", name+".scratch")}
	s.say = func(format string, args ...any) { c.say(name+": "+format, args...) }
	for _, dir := range []string{s.out, s.tmp} { // left behind by one that was killed
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	s.log, err = os.Create(filepath.Join(c.logs(), name+".log"))
	return s, err
}

func (s *work) end() {
	_ = s.log.Close()
	_ = os.RemoveAll(s.tmp)
	_ = os.RemoveAll(s.out) // it has moved away if all went well
}
