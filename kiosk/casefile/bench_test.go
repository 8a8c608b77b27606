package casefile

import (
	"testing"

	"yuanban/devices/printer"
)

// BenchmarkReceipt is the computing time of an acceptance receipt from its document to the commands, and its bytes on the wire. The floor is
// the wire: ten bits a byte.
func BenchmarkReceipt(b *testing.B) {
	doc := samples(b, templates(b))["one"]
	p, err := printer.ByName("kp628e")
	if err != nil {
		b.Fatal(err)
	}
	var cmds []printer.Command
	for b.Loop() {
		if cmds, err = printer.Encode(doc, p); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for _, c := range cmds {
		n += len(c)
	}
	b.ReportMetric(float64(n), "B/receipt")
	b.ReportMetric(float64(n)*10/115200*1000, "ms-wire-115200")
}
