package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pkg is what go list tells of a package of this module.
type pkg struct {
	ImportPath, Dir, Name string
	Imports               []string
	GoFiles, CgoFiles     []string
	IgnoredGoFiles        []string
}

func (p pkg) short() string { return strings.TrimPrefix(p.ImportPath, "yuanban/") }

func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json", "yuanban/...")
	cmd.Stderr = &bytes.Buffer{}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot list the packages: %v\n%s", err, cmd.Stderr)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// owners are the packages that may import a third-party library, so that each can be replaced in one place (law 2).
var owners = map[string][]string{
	"github.com/tarm/serial":                     {"devices/serialport"},
	"github.com/creack/pty":                      {"devices/serialport"},
	"periph.io/x/host/v3":                        {"devices/buttons"},
	"periph.io/x/conn/v3":                        {"devices/buttons"},
	"github.com/mattn/go-sqlite3":                {"kiosk/journal", "provisioning/site"}, // the machine's facts, and the technician's registry
	"github.com/gorilla/websocket":               {"ui", "kiosk/api"},
	"github.com/coreos/go-systemd/v22":           {"kiosk/daemon"},
	"github.com/boombuler/barcode":               {"ui", "devices/printer"}, // one draws screens, the other the simulated paper
	"go.yaml.in/yaml/v3":                         {"kiosk/strictyaml"},
	"golang.org/x/text":                          {"devices/printer", "devices/serialpad"}, // GBK on paper and on a pad's display
	"golang.org/x/image":                         {"devices/printer"},
	"golang.org/x/sys":                           {"devices/serialport", "devices/buttons", "devices/hotplug", "provisioning/update", "kiosk"}, // system calls, each for its own kind of descriptor
	"github.com/chromedp/chromedp":               {},
	"pgregory.net/rapid":                         {},
	"github.com/rogpeppe/go-internal/testscript": {},
}

func TestLaw1DevicesStandAlone(t *testing.T) {
	for _, p := range listPackages(t) {
		if !strings.HasPrefix(p.short(), "devices/") {
			continue
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "yuanban/") && !strings.HasPrefix(i, "yuanban/devices/") {
				t.Errorf("%s imports %s: drivers must be usable without the program around them", p.short(), i)
			}
		}
	}
}

func TestLaw2ThirdPartyLibrariesHaveOneOwner(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, i := range p.Imports {
			if !strings.Contains(strings.SplitN(i, "/", 2)[0], ".") {
				continue // standard library
			}
			best := ""
			for lib := range owners {
				if (i == lib || strings.HasPrefix(i, lib+"/")) && len(lib) > len(best) {
					best = lib
				}
			}
			switch {
			case best == "":
				t.Errorf("%s imports %s, which no package owns: give it an owner here and a line in the README's table", p.short(), i)
			case !slices.Contains(owners[best], p.short()):
				t.Errorf("%s imports %s, which belongs to %v", p.short(), i, owners[best])
			}
		}
	}
}

func TestLaw3Names(t *testing.T) {
	for _, p := range listPackages(t) {
		switch base := filepath.Base(p.ImportPath); base {
		case "util", "utils", "common", "helpers", "types", "misc", "base":
			t.Errorf("%s: a package is named after what it provides", p.short())
		}
	}
}

// files parses the non-test files of a package, also those for other builds.
func files(t *testing.T, p pkg) (*token.FileSet, []*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	var out []*ast.File
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return fset, out
}

func TestLaw3NoInitAndNoChangingVariables(t *testing.T) {
	for _, p := range listPackages(t) {
		fset, all := files(t, p)
		vars := map[string]bool{}
		for _, f := range all {
			for _, d := range f.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
					for _, s := range g.Specs {
						for _, n := range s.(*ast.ValueSpec).Names {
							vars[n.Name] = n.Name != "_"
						}
					}
				}
			}
		}
		for _, f := range all {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Recv == nil && n.Name.Name == "init" {
						t.Errorf("%s: init(): what runs at start is called by name", fset.Position(n.Pos()))
					}
				case *ast.AssignStmt:
					if n.Tok == token.DEFINE {
						return true
					}
					for _, l := range n.Lhs {
						changes(t, fset, vars, l)
					}
				case *ast.IncDecStmt:
					changes(t, fset, vars, n.X)
				}
				return true
			})
		}
	}
}

// changes complains when an assignment goes to a variable of the package.
func changes(t *testing.T, fset *token.FileSet, vars map[string]bool, e ast.Expr) {
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
			continue
		case *ast.SelectorExpr:
			e = x.X
			continue
		case *ast.StarExpr:
			e = x.X
			continue
		}
		break
	}
	id, ok := e.(*ast.Ident)
	if !ok || !vars[id.Name] {
		return
	}
	if id.Obj != nil {
		if spec, ok := id.Obj.Decl.(*ast.ValueSpec); !ok || !vars[spec.Names[0].Name] || !packageLevel(fset, spec) {
			return // a local of the same name
		}
	}
	t.Errorf("%s: the package variable %s is changed; state belongs to a value that has an owner", fset.Position(id.Pos()), id.Name)
}

// packageLevel tells a var of the package from one in a function: gofmt puts the former at the line's start or one tab in, in a group.
func packageLevel(fset *token.FileSet, spec *ast.ValueSpec) bool {
	return fset.Position(spec.Pos()).Column <= 5
}

func TestLaw4OnePackageComment(t *testing.T) {
	for _, p := range listPackages(t) {
		_, all := files(t, p)
		var comments []string
		for _, f := range all {
			if f.Doc != nil {
				comments = append(comments, f.Doc.Text())
			}
		}
		if len(all) > 0 && len(comments) != 1 {
			t.Errorf("%s has %d package comments instead of one", p.short(), len(comments))
			continue
		}
		if want := fmt.Sprintf("Package %s ", p.Name); len(comments) == 1 && p.Name != "main" && !strings.HasPrefix(comments[0], want) {
			t.Errorf("%s: the package comment begins with %q", p.short(), want)
		}
	}
}

func TestLaw5SmallInterfaces(t *testing.T) {
	for _, p := range listPackages(t) {
		fset, all := files(t, p)
		for _, f := range all {
			ast.Inspect(f, func(n ast.Node) bool {
				if i, ok := n.(*ast.InterfaceType); ok && i.Methods.NumFields() > 3 {
					t.Errorf("%s: an interface of %d methods; three are the most", fset.Position(n.Pos()), i.Methods.NumFields())
				}
				return true
			})
		}
	}
}
