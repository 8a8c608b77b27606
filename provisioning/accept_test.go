package provisioning

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yuanban/provisioning/acceptance"
)

// TestAcceptCommand: a report is kept, verified by its machine and by others, and not believed once it was changed.
func TestAcceptCommand(t *testing.T) {
	dir, out, other := t.TempDir(), t.TempDir(), t.TempDir()
	p := program
	p.Machine = func(file string) (*acceptance.Machine, error) {
		if file != "machine.yaml" {
			return nil, errors.New("cannot read configuration")
		}
		return &acceptance.Machine{Number: "K00001", Role: "pad", Pass: 30, State: t.TempDir(),
			Running: func(context.Context) (*acceptance.Running, error) { return nil, errors.New("nothing answers") }}, nil
	}
	run := func(want int, stdin string, args ...string) string {
		t.Helper()
		var said bytes.Buffer
		p.Stdin = strings.NewReader(stdin)
		if code := Run(t.Context(), p, append([]string{"accept"}, args...), &said, &said); code != want {
			t.Fatalf("%v ended with %d, want %d:\n%s", args, code, want, said.String())
		}
		return said.String()
	}
	run(2, "", "-config", "machine.yaml", "-dir", dir)
	run(1, "", "-config", "nothing.yaml", "-dir", dir, "-yes-i-am", "Chen")
	if text := run(0, "yes\n", "-config", "machine.yaml", "-dir", dir, "-out", out, "-yes-i-am", "Chen"); !strings.Contains(text, "PASSED") || !strings.Contains(text, "a person compared it") {
		t.Error(text)
	}
	files, _ := filepath.Glob(filepath.Join(out, "acceptance-K00001-*.json"))
	if len(files) != 1 {
		t.Fatalf("kept: %q", files)
	}
	if text := run(0, "", "-verify", files[0], "-dir", dir); !strings.Contains(text, "genuine: signed by this machine") || !strings.Contains(text, "by Chen") {
		t.Error(text)
	}
	if text := run(0, "", "-verify", files[0], "-dir", other); !strings.Contains(text, "compare") {
		t.Error(text)
	}
	if left, _ := os.ReadDir(other); len(left) != 0 {
		t.Error("verifying drew a key")
	}
	do(t, 0, "ask", "-dir", other, t.TempDir())
	if text := run(1, "", "-verify", files[0], "-dir", other); !strings.Contains(text, "signed by another machine") {
		t.Error(text)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	bent := filepath.Join(out, "bent.json")
	if err := os.WriteFile(bent, bytes.Replace(data, []byte("signature\":\""), []byte("signature\":\"A"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	run(1, "", "-verify", bent, "-dir", dir)
	run(1, "", "-verify", "nothing.json", "-dir", dir)
	// Nobody there: what needs an answer is not done, and the machine is not accepted.
	p.Machine = func(string) (*acceptance.Machine, error) {
		return &acceptance.Machine{Number: "K00001", Pass: 70, State: "/nowhere",
			Running: func(context.Context) (*acceptance.Running, error) { return nil, errors.New("nothing answers") }}, nil
	}
	if text := run(3, "", "-dir", dir, "-out", out, "-yes-i-am", "Chen"); !strings.Contains(text, "nobody answered") || !strings.Contains(text, "NOT PASSED") {
		t.Error(text)
	}
}
