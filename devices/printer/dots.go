package printer

// dots is a black and white picture.
type dots struct {
	w, h int
	on   []bool // row by row
}

func newDots(w, h int) *dots { return &dots{w: w, h: h, on: make([]bool, w*h)} }

func (d *dots) at(x, y int) bool { return x >= 0 && x < d.w && y >= 0 && y < d.h && d.on[y*d.w+x] }

func (d *dots) set(x, y int) {
	if x >= 0 && x < d.w && y >= 0 && y < d.h {
		d.on[y*d.w+x] = true
	}
}

// put lays src over d with its upper left corner at x, y, each dot k x k in size.
func (d *dots) put(src *dots, x, y, k int) {
	for sy := range src.h {
		for sx := range src.w {
			if !src.at(sx, sy) {
				continue
			}
			for i := range k * k {
				d.set(x+sx*k+i%k, y+sy*k+i/k)
			}
		}
	}
}

// columnBytes is the picture column by column, top dot in the highest bit: the form of FS 2. The height is a multiple of 8.
func (d *dots) columnBytes() []byte {
	out := make([]byte, d.w*d.h/8)
	for x := range d.w {
		for y := range d.h {
			if d.at(x, y) {
				out[x*d.h/8+y/8] |= 0x80 >> (y % 8)
			}
		}
	}
	return out
}

// fromColumnBytes is the reverse of columnBytes.
func fromColumnBytes(b []byte, w, h int) *dots {
	d := newDots(w, h)
	for x := range w {
		for y := range h {
			if b[x*h/8+y/8]&(0x80>>(y%8)) != 0 {
				d.set(x, y)
			}
		}
	}
	return d
}

// rowBytes is rows y..y+n row by row, left dot in the highest bit: the form of GS v 0. The width is a multiple of 8.
func (d *dots) rowBytes(y, n int) []byte {
	out := make([]byte, d.w/8*n)
	for i := range n {
		for x := range d.w {
			if d.at(x, y+i) {
				out[i*d.w/8+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return out
}

// fromRowBytes is the reverse of rowBytes for a whole picture.
func fromRowBytes(b []byte, w, h int) *dots {
	d := newDots(w, h)
	for y := range h {
		for x := range w {
			if b[y*w/8+x/8]&(0x80>>(x%8)) != 0 {
				d.set(x, y)
			}
		}
	}
	return d
}

// embolden prints every dot once more for each of n dots to the right, as a thermal head does it.
func (d *dots) embolden(n int) {
	for y := range d.h {
		for x := d.w - 1; x > 0; x-- {
			for k := 1; k <= n; k++ {
				if d.at(x-k, y) {
					d.set(x, y)
				}
			}
		}
	}
}

// underline draws what a printer's own underline is: two dots at the foot of the line.
func (d *dots) underline(from, to int) {
	for x := from; x < to; x++ {
		d.set(x, d.h-1)
		d.set(x, d.h-2)
	}
}
