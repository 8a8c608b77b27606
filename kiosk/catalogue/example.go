package catalogue

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed example
var example embed.FS

// Example returns the built-in content: an invented park whose items, letters and lists are all marked 示例.
func Example() fs.FS {
	sub, err := fs.Sub(example, "example")
	if err != nil {
		panic(fmt.Sprintf("catalogue: the embedded example has no folder: %v", err)) // a fault of the build
	}
	return sub
}
