package buttons

import (
	"testing"
	"unsafe"
)

// TestGPIOABI: the structs are as long as the ioctls say that they are, and their fields where linux/gpio.h has them.
func TestGPIOABI(t *testing.T) {
	size := func(request uintptr) uintptr { return request >> 16 & 0x3FFF } // _IOC_SIZE
	for name, s := range map[string][2]uintptr{
		"gpiochip_info":        {size(getChipInfo), unsafe.Sizeof(chipInfo{})},
		"gpio_v2_line_info":    {size(getLineInfo), unsafe.Sizeof(lineInfo{})},
		"gpio_v2_line_request": {size(getLine), unsafe.Sizeof(lineRequest{})},
		"gpio_v2_line_values":  {size(getLineValues), unsafe.Sizeof(lineValues{})},
		"info flags":           {72, unsafe.Offsetof(lineInfo{}.flags)},
		"request config":       {288, unsafe.Offsetof(lineRequest{}.flags)},
		"request num_lines":    {560, unsafe.Offsetof(lineRequest{}.lines)},
		"request fd":           {588, unsafe.Offsetof(lineRequest{}.fd)},
	} {
		if s[0] != s[1] {
			t.Errorf("%s: %d, want %d", name, s[1], s[0])
		}
	}
}

// TestChipsHere: whatever this machine has, listing it is no error that nobody explains, and a line that is used cannot be watched.
func TestChipsHere(t *testing.T) {
	chips, err := Chips()
	if err != nil {
		t.Log(err)
	}
	for _, c := range chips {
		if c.Path == "" || c.Label == "" {
			t.Errorf("%+v", c)
		}
	}
	c := Chip{Label: "x", Path: "/dev/null", Lines: []ChipLine{{Used: true}, {Number: 1, Output: true}, {Number: 2}}}
	for _, n := range []int{-1, 0, 1, 2, 3} { // 2 is free, but /dev/null is no chip
		if w, err := OpenWatch(c, []int{n}, true); err == nil {
			t.Errorf("line %d of no chip can be watched", n)
			w.Close()
		}
	}
}
