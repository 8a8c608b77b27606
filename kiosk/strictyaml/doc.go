// Package strictyaml reads YAML strictly into typed structs and reports everything that is wrong at once, each with its line.
//
// It is made for files that people edit by hand. A key that the struct does not know is a problem and names the key
// that was probably meant; so is a key written twice, a value of the wrong type, a required key that is missing, a
// second document, and any anchor, alias, merge or tag: a reader must be able to trust that what is written is what holds.
//
// Fields are named by the tag yaml:"name"; yaml:"name,required" demands a value that is not empty; yaml:"-" and
// unexported fields are left alone. Beside strings, whole numbers, decimal numbers, booleans, slices, maps and structs it
// reads time.Duration (45s, 1m30s), every type with UnmarshalText, and string types whose method
// Choices() []string lists what is allowed.
package strictyaml
