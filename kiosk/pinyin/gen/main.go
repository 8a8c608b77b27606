// Gen turns a Rime dictionary (text, pinyin, weight in columns) into the embedded dictionary of package pinyin:
//
//	go run ./gen /usr/share/rime-data/pinyin_simp.dict.yaml dict.gz
//
// The input is in Debian's package rime-data-pinyin-simp. The output, unpacked, has one line for each pinyin, ascending by
// syllables: the pinyin, a tab, then each text followed by its weight, the heaviest first.
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: gen RIME-DICTIONARY OUTPUT")
	}
	in, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	out, err := convert(string(in))
	if err != nil {
		log.Fatalf("cannot convert %s: %v", os.Args[1], err)
	}
	if err := os.WriteFile(os.Args[2], out, 0o644); err != nil {
		log.Fatal(err)
	}
}

type word struct {
	text   string
	weight int
}

func convert(in string) ([]byte, error) {
	_, table, ok := strings.Cut(in, "\n...\n")
	if !ok {
		return nil, fmt.Errorf("no end of the YAML head (a line of three dots)")
	}
	words := map[string][]word{}
	for row := range strings.Lines(table) {
		row = strings.TrimSpace(row)
		if row == "" || row[0] == '#' {
			continue
		}
		cols := strings.Split(row, "\t")
		if len(cols) != 3 {
			return nil, fmt.Errorf("%q has %d columns, not 3", row, len(cols))
		}
		weight, err := strconv.ParseFloat(cols[2], 64)
		if err != nil || weight < 0 {
			return nil, fmt.Errorf("%q: bad weight", row)
		}
		if n := utf8.RuneCountInString(cols[0]); n != len(strings.Fields(cols[1])) || n > 4 || strings.ContainsAny(cols[0], "0123456789") {
			return nil, fmt.Errorf("%q: characters and syllables do not fit", row)
		}
		words[cols[1]] = append(words[cols[1]], word{cols[0], int(weight)})
	}
	var plain bytes.Buffer
	for _, key := range slices.SortedFunc(maps.Keys(words), bySyllables) {
		list := words[key]
		slices.SortStableFunc(list, func(a, b word) int { return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.text, b.text)) })
		fmt.Fprintf(&plain, "%s\t", key)
		for _, w := range list {
			fmt.Fprintf(&plain, "%s%d", w.text, w.weight)
		}
		plain.WriteByte('\n')
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(plain.Bytes()); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func bySyllables(a, b string) int { return slices.Compare(strings.Fields(a), strings.Fields(b)) }
