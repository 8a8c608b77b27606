package receiptline

import (
	"os"
	"testing"
)

// BenchmarkParse is the time to read a receipt's template, done once when the program starts.
func BenchmarkParse(b *testing.B) {
	text, err := os.ReadFile("testdata/oracle/receipt.receipt")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(string(text)); err != nil {
			b.Fatal(err)
		}
	}
}
