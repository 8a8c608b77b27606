package printer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestForeignCoders: three coders written by others, in three languages, make the same bytes of every character of every font.
func TestForeignCoders(t *testing.T) {
	data, err := os.ReadFile("testdata/coders.txt")
	if err != nil {
		t.Fatal(err)
	}
	count, sum := map[Charset]int{}, map[Charset]string{}
	for _, c := range []Charset{GB2312, GBK, GB18030} {
		var all bytes.Buffer
		for r := rune(0x80); r <= 0x10FFFF; r++ {
			if b, ok := c.encode(r); ok {
				all.Write(b)
				count[c]++
				if back := c.decode(b); back != r {
					t.Errorf("%s: %q is %x, which reads %q", c, r, b, back)
				}
			}
		}
		h := sha256.Sum256(all.Bytes())
		sum[c] = hex.EncodeToString(h[:])
	}
	seen := map[string]int{}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) < 4 {
			continue // the head
		}
		seen[f[1]]++
		switch f[0] {
		case "font":
			if c := Charset(f[2]); strconv.Itoa(count[c]) != f[3] || sum[c] != f[4] {
				t.Errorf("%s has %d characters with the digest %s; %s has %s with %s", c, count[c], sum[c], f[1], f[3], f[4])
			}
		case "line":
			var got []byte
			for _, r := range f[2] {
				b, ok := GB18030.encode(r)
				if !ok {
					t.Errorf("%q is not in GB18030", r)
				}
				got = append(got, b...)
			}
			if hex.EncodeToString(got) != f[3] {
				t.Errorf("%s\n%x; %s\n%s", f[2], got, f[1], f[3])
			}
		}
	}
	for _, coder := range []string{"iconv", "php", "iconv-lite"} {
		if seen[coder] != 5 {
			t.Errorf("%d records of %s", seen[coder], coder)
		}
	}
	if count[GB2312] != 7445 {
		t.Errorf("GB/T 2312-1980 has 7,445 characters; ours has %d", count[GB2312])
	}
}
