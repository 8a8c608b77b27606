package serialpad

// heardAs is what a UART set to one line makes of bytes sent back to back at another: it looks for a start bit, samples the middle of each
// bit and drops a byte whose stop bit is missing, as the kernel does for us (IGNPAR). Parity is not looked at, as tarm/serial sets lines.
func heardAs(data []byte, sent, heard Line) []byte {
	if sent == heard {
		return data
	}
	var levels []bool // of the line, one a bit of the sender
	for _, b := range data {
		levels = append(levels, false)
		ones := 0
		for i := range sent.Size {
			bit := b>>i&1 == 1
			if bit {
				ones++
			}
			levels = append(levels, bit)
		}
		if sent.Parity != "none" {
			levels = append(levels, (ones%2 == 1) == (sent.Parity == "even"))
		}
		for range sent.StopBits {
			levels = append(levels, true)
		}
	}
	ratio := float64(sent.Baud) / float64(heard.Baud) // bits of the sender in one of the receiver
	level := func(t float64) bool {
		i := int(t)
		return i >= len(levels) || levels[i]
	}
	var out []byte
	bits := heard.Size
	if heard.Parity != "none" {
		bits++
	}
	const look = 1.0 / 16 // a UART samples sixteen times a bit
	for t := 0.0; t < float64(len(levels)); t += look * ratio {
		if level(t) || level(t+ratio/2) {
			continue
		}
		var b byte
		for i := range heard.Size {
			if level(t + ratio*(float64(i)+1.5)) {
				b |= 1 << i
			}
		}
		stop := t + ratio*(float64(bits)+1.5)
		if level(stop) {
			out = append(out, b)
			t = stop
			continue
		}
		for t = stop; t < float64(len(levels)) && !level(t); {
			t += look * ratio
		}
	}
	return out
}
