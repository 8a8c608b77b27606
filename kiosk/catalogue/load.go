package catalogue

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"yuanban/kiosk/strictyaml"
)

// Load reads a folder of content. Its error is a strictyaml.Problems with every problem of every file.
func Load(fsys fs.FS) (*Catalogue, error) {
	if _, err := fs.Stat(fsys, "."); err != nil {
		return nil, fmt.Errorf("cannot read content: %w", err)
	}
	l := &loader{fsys: fsys, c: &Catalogue{
		Files: fsys, byCode: map[string]*Item{}, letters: map[string]*LetterTemplate{},
		Calendar: &Calendar{years: map[int]map[string]bool{}},
	}, sources: map[Source]string{}, modes: map[Mode]*rawMode{}, departments: map[string]*Department{}}
	l.strangers()
	l.park()
	l.defaults()
	l.letters()
	l.receipts()
	l.packages()
	l.singles()
	l.references()
	l.lists()
	l.documents()
	l.people()
	l.calendar()
	l.reasons()
	if err := l.finish(); err != nil {
		return nil, err
	}
	return l.c, nil
}

// loader gathers a catalogue and the problems of its files.
type loader struct {
	fsys     fs.FS
	c        *Catalogue
	problems strictyaml.Problems

	sources     map[Source]string
	modes       map[Mode]*rawMode
	departments map[string]*Department
	includes    []include
}

// include is an item that a package takes from another file.
type include struct {
	pack *Package
	code string
	at   place
}

// place is where something stands in the files.
type place struct {
	doc  *strictyaml.Doc
	path string
}

// in returns the place of a part: at.in("materials[2].name").
func (p place) in(sub string) place {
	if p.path != "" && !strings.HasPrefix(sub, "[") {
		sub = "." + sub
	}
	return place{p.doc, p.path + sub}
}

// String returns file:line.
func (p place) String() string {
	if p.doc == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.doc.File(), p.doc.Line(p.path))
}

func (l *loader) problem(at place, format string, args ...any) {
	l.problems = append(l.problems, at.doc.Problem(at.path, format, args...))
}

func (l *loader) line(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, strictyaml.Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) finish() error {
	l.problems.Sort()
	return l.problems.Err()
}

// maxFile is the largest content file in bytes; the longest real list is a hundredth of it.
const maxFile = 8 << 20

// read returns a file; a missing one is a problem only when required.
func (l *loader) read(name string, required bool) ([]byte, bool) {
	info, err := fs.Stat(l.fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if required {
			l.line(name, 0, "missing; the content needs this file")
		}
		return nil, false
	case err == nil && info.Size() > maxFile:
		l.line(name, 0, "the file has %d bytes; at most %d are read", info.Size(), maxFile)
		return nil, false
	}
	var data []byte
	if err == nil {
		data, err = fs.ReadFile(l.fsys, name)
	}
	if err != nil {
		l.line(name, 0, "cannot read: %v", err)
		return nil, false
	}
	return data, true
}

// yaml decodes one file; the place is its root.
func (l *loader) yaml(name string, required bool, into any) (place, bool) {
	data, ok := l.read(name, required)
	if !ok {
		return place{}, false
	}
	doc, problems := strictyaml.Decode(name, data, into)
	l.problems = append(l.problems, problems...)
	return place{doc: doc}, len(problems) == 0
}

// digits cuts a name into numbers and the rest, so that P10 comes after P9.
var digits = regexp.MustCompile(`\d+|\D+`)

func naturally(a, b string) int {
	return slices.CompareFunc(digits.FindAllString(a, -1), digits.FindAllString(b, -1), func(a, b string) int {
		x, errA := strconv.Atoi(a)
		y, errB := strconv.Atoi(b)
		if errA == nil && errB == nil && x != y {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a, b)
	})
}

// files returns the files of a folder with an ending, in natural order; a folder that is not there is empty.
func (l *loader) files(folder, ending string) []string {
	entries, err := fs.ReadDir(l.fsys, folder)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.line(folder, 0, "cannot read: %v", err)
		}
		return nil
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && path.Ext(name) == ending && !passedOver(name) {
			names = append(names, path.Join(folder, name))
		}
	}
	slices.SortFunc(names, naturally)
	return names
}

// passedOver says whether a file is none of our business: what editors, Excel and file managers leave behind, and notes of the clerk.
func passedOver(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || strings.HasSuffix(name, "~") || strings.HasPrefix(strings.ToLower(name), "readme") || name == "Thumbs.db"
}

// strangers reports files that would silently be left out: P1.yml, a list saved as .xlsx.
func (l *loader) strangers() {
	endings := map[string]string{
		"packages": ".yaml", "items": ".yaml", "letters": ".md", "documents": ".md", "calendar": ".csv", "lists": ".csv", "photos": "", "receipts": ".receipt",
	}
	known := []string{"catalogue.yaml", "defaults.yaml", "staff.yaml", "helpers.yaml", "help.yaml", "reasons.csv", "reasons.yaml"}
	entries, err := fs.ReadDir(l.fsys, ".")
	if err != nil {
		l.line(".", 0, "cannot read: %v", err)
		return
	}
	for _, e := range entries {
		ending, folder := endings[e.Name()]
		switch {
		case passedOver(e.Name()):
		case !e.IsDir() && !slices.Contains(known, e.Name()):
			l.line(e.Name(), 0, "this file is not part of a content folder; known here: %s", strings.Join(known, ", "))
		case e.IsDir() && !folder:
			l.line(e.Name(), 0, "this folder is not part of the content; remove it or correct its name")
		case folder && ending != "":
			l.strangersIn(e.Name(), ending)
		}
	}
}

func (l *loader) strangersIn(folder, ending string) {
	entries, err := fs.ReadDir(l.fsys, folder)
	if err != nil {
		l.line(folder, 0, "cannot read: %v", err)
		return
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		if path.Ext(name) != ending && !passedOver(e.Name()) && name != "lists/lists.yaml" {
			l.line(name, 0, "would not be read; files in %s end with %s", folder, ending)
		}
	}
}
