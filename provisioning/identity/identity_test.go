package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func machine(t testing.TB) *Machine {
	t.Helper()
	m, err := Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func request(t testing.TB, m *Machine, code Code) ([]byte, *Request) {
	t.Helper()
	data, err := NewRequest(m, code, "K00001", "1.0", Hardware{Model: "QEMU", Arch: "amd64"}, time.Date(1970, 1, 1, 0, 3, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRequest(data)
	if err != nil {
		t.Fatal(err)
	}
	return data, r
}

func TestKeyIsBornOnceAndNeverReplaced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "identity")
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Load(dir)
	if err != nil || !a.Public().Equal(b.Public()) || !bytes.Equal(a.SealKey(), b.SealKey()) {
		t.Errorf("the key of the second start is another (%v)", err)
	}
	path := filepath.Join(dir, keyFile)
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "enrol the machine anew") {
		t.Errorf("a damaged key: %v", err)
	}
}

// TestKeyIsBornToOne: of processes that look at a machine for the first time at the same moment, one draws its key and all have it.
func TestKeyIsBornToOne(t *testing.T) {
	for range 20 {
		dir := filepath.Join(t.TempDir(), "identity")
		if Drawn(dir) {
			t.Fatal("a key before the first")
		}
		keys := make([]*Machine, 4)
		var all sync.WaitGroup
		for i := range keys {
			all.Go(func() {
				var err error
				if keys[i], err = Load(dir); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 || !Drawn(dir) {
			t.Errorf("left is %v, %v", left, err)
		}
		for _, k := range keys {
			if k == nil || !k.Public().Equal(keys[0].Public()) {
				t.Fatal("two keys of one machine")
			}
		}
	}
}

func TestSecretsAreSealedToOneMachineAndPlace(t *testing.T) {
	m, other := machine(t), machine(t)
	sealed, err := SealTo(m.SealKey(), "secrets/upstream.token", []byte("token"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := m.Unseal("secrets/upstream.token", sealed); err != nil || string(plain) != "token" {
		t.Errorf("%q, %v", plain, err)
	}
	if _, err := other.Unseal("secrets/upstream.token", sealed); err == nil {
		t.Error("another machine opened it")
	}
	if _, err := m.Unseal("secrets/window.token", sealed); err == nil {
		t.Error("it was opened in another place")
	}
}

func TestCodes(t *testing.T) {
	c := NewCode()
	if again := NewCode(); again == c {
		t.Error("two codes are the same")
	}
	for _, typed := range []string{string(c), c.String(), strings.ToLower(c.String()), " " + strings.ReplaceAll(c.String(), "-", " - ")} {
		if got, err := ParseCode(typed); err != nil || got != c {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
	}
	if got, err := ParseCode(strings.NewReplacer("0", "o", "1", "l").Replace(string(c))); err != nil || got != c {
		t.Errorf("o for 0 and l for 1: %v, %v", got, err)
	}
	// Every single typing error and every exchange of two characters is caught.
	for i := range c {
		for _, r := range alphabet {
			bent := string(c[:i]) + string(r) + string(c[i+1:])
			if _, err := ParseCode(bent); err == nil && bent != string(c) {
				t.Errorf("%s was taken for a code beside %s", bent, c)
			}
		}
		for j := range i {
			b := []byte(c)
			b[i], b[j] = b[j], b[i]
			if _, err := ParseCode(string(b)); err == nil && string(b) != string(c) {
				t.Errorf("%s was taken for a code beside %s", b, c)
			}
		}
	}
	for _, bad := range []string{"", "ABCD", "UUUU-UUUU-UUUU", "0000-0000-00001"} {
		if _, err := ParseCode(bad); err == nil {
			t.Errorf("%q was taken for a code", bad)
		}
	}
}

// TestCodeVouchesForBoth: only the code that the machine showed opens its request, and only a site that was told it is believed.
func TestCodeVouchesForBoth(t *testing.T) {
	m, code := machine(t), NewCode()
	_, r := request(t, m, code)
	site := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)).Public().(ed25519.PublicKey)
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public().(ed25519.PublicKey)
	if !r.Matches(code) || r.Matches(NewCode()) {
		t.Error("the code does not tell the machine's request from others")
	}
	proof, err := r.Proof(code, site)
	if err != nil {
		t.Fatal(err)
	}
	if !r.ProvenBy(code, site, proof) {
		t.Error("the site that was told the code is not believed")
	}
	guess, _ := r.Proof(NewCode(), stranger)
	for name, ok := range map[string]bool{
		"a proof moved to another key": r.ProvenBy(code, stranger, proof),
		"a guess":                      r.ProvenBy(code, stranger, guess),
		"the machine's own commitment": r.ProvenBy(code, site, r.commitment),
		"nothing":                      r.ProvenBy(code, site, nil),
	} {
		if ok {
			t.Errorf("%s was believed", name)
		}
	}
	if _, another := request(t, m, code); another.ProvenBy(code, site, proof) && another.Hash() != r.Hash() {
		t.Error("the answer to one request was taken for another's")
	}
}

// TestRequestsCannotBeBent: whoever changes a request without the machine's key is found out.
func TestRequestsCannotBeBent(t *testing.T) {
	m := machine(t)
	data, _ := request(t, m, NewCode())
	var s sent
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	bent := s
	bent.Request = bytes.Replace(s.Request, []byte("K00001"), []byte("K00002"), 1)
	text, _ := json.Marshal(bent)
	if _, err := ParseRequest(text); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("another number: %v", err)
	}
	other, _ := request(t, machine(t), NewCode())
	var o sent
	if err := json.Unmarshal(other, &o); err != nil {
		t.Fatal(err)
	}
	bent = s
	bent.Signature = o.Signature
	text, _ = json.Marshal(bent)
	if _, err := ParseRequest(text); err == nil {
		t.Error("the signature of another machine was taken")
	}
	for _, bad := range []string{"", "{}", "null", `{"request":"e30="}`, string(data) + "{}", strings.Repeat("x", maxRequest+1)} {
		if _, err := ParseRequest([]byte(bad)); err == nil {
			t.Errorf("%.40q was taken for a request", bad)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	data, _ := request(f, machine(f), NewCode())
	f.Add(data)
	f.Add([]byte(`{"request":"e30=","signature":"","commitment":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := ParseRequest(data); err == nil && (len(r.Public()) != ed25519.PublicKeySize || len(r.Hash()) != 64) {
			t.Errorf("%+v", r)
		}
	})
}
