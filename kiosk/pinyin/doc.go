// Package pinyin writes and finds Chinese with letter keys: a pinyin input method for a machine that has none of its own,
// and an index that finds texts by Chinese, by pinyin, by the initials of pinyin, or by any mixture.
//
// A kiosk browser has no input method: those of the operating system need a desktop, and those for web pages know single
// characters only. So the phrases are made here, and the page only shows letters and candidates.
//
// Words, their pinyin and their frequencies are those of the Android pinyin input method; see DATA-LICENSE.md.
package pinyin

//go:generate go run ./gen /usr/share/rime-data/pinyin_simp.dict.yaml dict.gz
