package bundle

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	siteKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	otherKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	made     = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
)

func text(path, s string) Content {
	return Content{Path: path, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }}
}

func sealed(path, s string) Content {
	c := text(path, s)
	c.Sealed = true
	return c
}

func manifest() Manifest {
	return Manifest{Machine: "K00001", Version: 7, Made: made, Expires: made.AddDate(0, 1, 0)}
}

func write(t testing.TB, m Manifest, key ed25519.PrivateKey, files ...Content) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, m, files, key); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func standing() Standing {
	return Standing{Site: siteKey.Public().(ed25519.PublicKey), Machine: "K00001", Version: 6, Now: made.Add(time.Hour)}
}

// take does what a machine does: read, judge, unpack.
func take(data []byte, s Standing, dir string) error {
	b, err := Read(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if err := b.Judge(s); err != nil {
		return err
	}
	unseal := func(_ string, sealed []byte) ([]byte, error) { return bytes.ToUpper(sealed), nil }
	return b.Unpack(dir, unseal, nil)
}

func TestRoundTrip(t *testing.T) {
	data := write(t, manifest(), siteKey, text("kiosk.yaml", "machine: K00001\n"), text("content/items/S.yaml", "items"), text("empty", ""),
		sealed("secrets/upstream.token", "secret"))
	dir := t.TempDir()
	if err := take(data, standing(), dir); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"kiosk.yaml": "machine: K00001\n", "content/items/S.yaml": "items", "empty": "", "secrets/upstream.token": "SECRET"} {
		got, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "secrets/upstream.token")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("a secret has the mode %v (%v)", st.Mode(), err)
	}
	if err := take(data, standing(), dir); err == nil {
		t.Error("a bundle was unpacked over files that were there")
	}
}

func TestRefusals(t *testing.T) {
	good := write(t, manifest(), siteKey, text("kiosk.yaml", "x"))
	foreignSigned := bytes.Replace(write(t, manifest(), otherKey, text("kiosk.yaml", "x")),
		[]byte(SiteID(otherKey.Public().(ed25519.PublicKey))), []byte(SiteID(siteKey.Public().(ed25519.PublicKey))), 1)
	at := func(change func(*Standing)) Standing { s := standing(); change(&s); return s }
	cases := map[string]struct {
		data []byte
		s    Standing
		want Reason
		say  string
	}{
		"of another site":          {write(t, manifest(), otherKey, text("kiosk.yaml", "x")), standing(), Foreign, "belongs to"},
		"signed by somebody else":  {foreignSigned, standing(), Unsigned, "do not use this stick"},
		"for another machine":      {good, at(func(s *Standing) { s.Machine = "K00002" }), Other, "K00001"},
		"expired":                  {good, at(func(s *Standing) { s.Now = made.AddDate(0, 1, 0) }), Expired, "2026-12-20, and this machine has 2026-12-20"},
		"a clock ten years ahead":  {good, at(func(s *Standing) { s.Now = made.AddDate(10, 0, 0) }), Expired, "this machine has 2036-"},
		"older":                    {good, at(func(s *Standing) { s.Version = 8 }), Older, "has 8 already"},
		"not a bundle":             {[]byte("PK\x03\x04 a zip file that somebody renamed"), standing(), Damaged, "not a bundle"},
		"empty":                    {nil, standing(), Damaged, "not a bundle"},
		"something behind the end": {append(bytes.Clone(good), 'x'), standing(), Damaged, "behind its last file"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var r *Refusal
			err := take(c.data, c.s, t.TempDir())
			if !errors.As(err, &r) || r.Reason != c.want || !strings.Contains(r.Text, c.say) {
				t.Errorf("%v, want %s with %q", err, c.want, c.say)
			}
		})
	}
	if err := take(good, at(func(s *Standing) { s.Version = 7 }), t.TempDir()); err != nil {
		t.Errorf("the version that the machine has already, which a technician may apply again: %v", err)
	}
}

// TestEveryByteCounts: a bundle that ends early anywhere, or one bit of which is another, is never taken.
func TestEveryByteCounts(t *testing.T) {
	good := write(t, manifest(), siteKey, text("a", "hello"), text("b/c", "world"))
	for n := range good {
		if err := take(good[:n], standing(), t.TempDir()); err == nil {
			t.Errorf("taken with its first %d of %d bytes", n, len(good))
		}
		bent := bytes.Clone(good)
		bent[n] ^= 1 << (n % 8)
		if err := take(bent, standing(), t.TempDir()); err == nil {
			t.Errorf("taken with byte %d changed from %q to %q", n, good[n], bent[n])
		}
	}
}

func TestPathsStayInside(t *testing.T) {
	bad := []string{"", ".", "..", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".hidden", "a/.b", "a\\b", "c:x", "a\nb", "a\x00b", strings.Repeat("x", 300)}
	for _, p := range bad {
		var b bytes.Buffer
		if err := Write(&b, manifest(), []Content{text(p, "x")}, siteKey); err == nil {
			t.Errorf("a bundle was made with the path %q", p)
		}
	}
	for _, pair := range [][]string{{"a", "a"}, {"a", "a/b"}} {
		var b bytes.Buffer
		if err := Write(&b, manifest(), []Content{text(pair[0], "x"), text(pair[1], "x")}, siteKey); err == nil {
			t.Errorf("a bundle was made with %q", pair)
		}
	}
	// A link that somebody made in the folder beforehand leads nowhere.
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if err := take(write(t, manifest(), siteKey, text("a/b", "x")), standing(), dir); err == nil {
		t.Error("a bundle was unpacked through a symbolic link")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("outside the folder: %v", left)
	}
}

func TestWriteRefusesWhatCannotBe(t *testing.T) {
	cases := map[string]struct {
		change func(*Manifest)
		files  []Content
	}{
		"no files":                          {func(*Manifest) {}, nil},
		"no version":                        {func(m *Manifest) { m.Version = 0 }, []Content{text("a", "x")}},
		"expires before it is made":         {func(m *Manifest) { m.Expires = made }, []Content{text("a", "x")}},
		"a secret for everybody":            {func(m *Manifest) { m.Machine = AnyMachine }, []Content{sealed("a", "x")}},
		"a program that is not in it":       {func(m *Manifest) { m.Program = &Program{"1", "amd64", "k.deb"} }, []Content{text("a", "x")}},
		"a program without a version":       {func(m *Manifest) { m.Program = &Program{"", "amd64", "a"} }, []Content{text("a", "x")}},
		"for nobody":                        {func(m *Manifest) { m.Machine = "" }, []Content{text("a", "x")}},
		"a file that cannot be opened":      {func(*Manifest) {}, []Content{{Path: "a", Open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}}},
		"a file that changes as it is read": {func(*Manifest) {}, []Content{changing("a")}},
	}
	for name, c := range cases {
		m := manifest()
		c.change(&m)
		if err := Write(io.Discard, m, c.files, siteKey); err == nil {
			t.Errorf("%s: a bundle was made", name)
		}
	}
}

func changing(path string) Content {
	n := 3
	return Content{Path: path, Open: func() (io.ReadCloser, error) {
		n--
		return io.NopCloser(strings.NewReader(strings.Repeat("x", n))), nil
	}}
}

// TestAnyBundle: whatever files a bundle is made of, they come out as they went in.
func TestAnyBundle(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}(/[a-z]{4,5}){0,2}\.[a-z]`), 1, 8, rapid.ID[string]).Draw(r, "names")
		want := map[string]string{}
		var files []Content
		for _, n := range names {
			want[n] = rapid.String().Draw(r, "content")
			files = append(files, text(n, want[n]))
		}
		dir, err := os.MkdirTemp("", "bundle")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(dir)
		if err := take(write(t, manifest(), siteKey, files...), standing(), dir); err != nil {
			r.Fatal(err)
		}
		for n, s := range want {
			if got, err := os.ReadFile(filepath.Join(dir, n)); err != nil || string(got) != s {
				r.Fatalf("%s: %q, %v; want %q", n, got, err, s)
			}
		}
	})
}

// FuzzRead: no bytes bring the reader down, and none are taken that were not signed by the site.
func FuzzRead(f *testing.F) {
	good := write(f, manifest(), siteKey, text("kiosk.yaml", "machine: K00001\n"), sealed("token", "x"))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(magic + "2\n{}\n\n"))
	f.Add(write(f, manifest(), otherKey, text("a", "x")))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Read(bytes.NewReader(data))
		if err != nil || b.Judge(standing()) != nil {
			return
		}
		// Only what the site signed comes this far, and only whole does it come any further.
		if err := take(data, standing(), t.TempDir()); err == nil && !bytes.Equal(data, good) {
			t.Errorf("taken: %q", data)
		}
	})
}
