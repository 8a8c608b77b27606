package acceptance

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/provisioning/identity"
)

// domainReport begins what is signed, so that a report's signature fits nothing else that the machine's key signs.
const domainReport = "yuanban acceptance report 1\x00"

// maxReport is the size of a report's file, in bytes; real ones have about 6,000.
const maxReport = 1 << 20

// signed is a report in its file. The report is kept as the bytes that were signed.
type signed struct {
	Report    []byte `json:"report"`    // JSON of Report
	Key       []byte `json:"key"`       // Ed25519, the machine's
	Signature []byte `json:"signature"` // over domainReport and Report
}

// Save writes the report into dir, once signed as FILE.json and once to read as FILE.txt, and returns the first one's path. Neither
// replaces an older report.
func (r *Report) Save(dir string, key *identity.Machine) (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("cannot write the report: %w", err)
	}
	signature, err := key.Signer().Sign(nil, append([]byte(domainReport), text...), &ed25519.Options{})
	if err != nil {
		return "", fmt.Errorf("cannot sign the report: %w", err)
	}
	file, err := json.Marshal(signed{text, key.Public(), signature})
	if err != nil {
		return "", fmt.Errorf("cannot write the report: %w", err)
	}
	kind := "selftest"
	if r.Attended {
		kind = "acceptance"
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%s-%s", kind, r.Machine, r.Began.UTC().Format("20060102T150405Z")))
	err = errors.Join(identity.WriteFile(path+".json", append(file, '\n'), 0o644),
		identity.WriteFile(path+".txt", []byte(r.Text()+"\nkey     "+Fingerprint(key.Public())+"\n"), 0o644))
	if err != nil {
		return "", fmt.Errorf("cannot keep the report in %s: %w", dir, err)
	}
	return path + ".json", nil
}

// Fingerprint is a key as people compare it: SHA-256, the first 32 hexadecimal digits in groups of four.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	digits := hex.EncodeToString(sum[:16])
	var out []string
	for part := range slices.Chunk([]byte(digits), 4) {
		out = append(out, string(part))
	}
	return strings.Join(out, "-")
}

// Verify reads a report that Save wrote, and who signed it. Whether that is the machine, the caller must know; the report says only that
// whoever has that key wrote every word of it.
func Verify(data []byte) (*Report, ed25519.PublicKey, error) {
	if len(data) > maxReport {
		return nil, nil, fmt.Errorf("cannot verify report: it has %d bytes, at most %d are possible", len(data), maxReport)
	}
	var s signed
	if err := strict(data, &s); err != nil {
		return nil, nil, fmt.Errorf("cannot verify report: it is none: %w", err)
	}
	if len(s.Key) != ed25519.PublicKeySize || !ed25519.Verify(s.Key, append([]byte(domainReport), s.Report...), s.Signature) {
		return nil, nil, errors.New("cannot verify report: its signature is wrong, so it was changed, or cut off while it was copied")
	}
	r := &Report{}
	if err := strict(s.Report, r); err != nil {
		return nil, nil, fmt.Errorf("cannot verify report: %w", err)
	}
	return r, s.Key, nil
}

func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("something stands behind its end")
	}
	return nil
}

func (r *Report) verdict() string {
	if r.Passed {
		return "PASSED"
	}
	return "NOT PASSED"
}

// Text is the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	what := "Self-test"
	if r.Attended {
		what = "Acceptance"
	}
	say("%s of machine %s (%s), program %s", what, r.Machine, r.Role, r.Program)
	say("%s to %s", r.Began.Format(time.RFC3339), r.Ended.Format(time.RFC3339))
	if r.By != "" {
		say("by %s", r.By)
	}
	say("")
	for _, i := range r.Items {
		must := " "
		if i.Must {
			must = "*"
		}
		say("%-8s %3d%s %s", i.State, i.Points, must, i.Title)
		say("             %s", i.Says)
		for _, name := range slices.Sorted(maps.Keys(i.Measured)) {
			say("             %s %g", name, i.Measured[name])
		}
	}
	say("\n* must not fail, whatever the score")
	for _, s := range r.Serials {
		say("%s", s)
	}
	if r.Interrupt != "" {
		say("it was interrupted: %s", r.Interrupt)
	}
	say("score    %d of 100, %d are needed: %s", r.Score, r.Pass, r.verdict())
	return b.String()
}

// receipt is the report for the machine's own printer, in Chinese: it stays with the machine's papers.
func (r *Report) receipt(key ed25519.PublicKey) *printer.Document {
	words := map[State]string{OK: "合格", Failed: "不合格", NotDone: "未测", Absent: "无此设备"}
	names := map[string]string{"reader": "身份证阅读器", "printer": "凭条打印机", "buttons": "评价按键", "lamps": "按键灯", "network": "网络与平台",
		"clock": "时钟", "disk": "存储", "display": "显示屏", "touch": "触摸", "sound": "声音"}
	doc := &printer.Document{Blocks: []printer.Block{
		printer.Text{Text: "设备验收报告", Size: 2, Align: printer.Center},
		printer.Row{Left: "机器编号", Right: r.Machine},
		printer.Row{Left: "时间", Right: r.Began.Format("2006-01-02 15:04")},
		printer.Row{Left: "验收人", Right: r.By},
		printer.Rule{},
	}}
	for _, i := range r.Items {
		doc.Blocks = append(doc.Blocks, printer.Row{Left: names[i.ID], Right: words[i.State]})
	}
	verdict := "未通过"
	if r.Passed {
		verdict = "通过"
	}
	doc.Blocks = append(doc.Blocks, printer.Rule{}, printer.Text{Text: fmt.Sprintf("%d 分 %s", r.Score, verdict), Size: 2, Align: printer.Center},
		printer.Text{Text: "密钥 " + Fingerprint(key)}, printer.Text{Text: "签字："})
	return doc
}

// Print prints the report on the machine's printer. The program must not run.
func (r *Report) Print(ctx context.Context, m *Machine, o Options, key ed25519.PublicKey) error {
	if o.Open == nil {
		o.Open = serialport.OpenContext
	}
	s := &session{Options: o, m: m, ctx: ctx}
	_, err := s.print(r.receipt(key))
	return err
}
