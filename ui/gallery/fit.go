package gallery

import (
	"math"

	"yuanban/ui/view"
)

// In is the sample's view as a flow would show it on a display of the given size in the given modes: lists and texts
// are cut to a page of what view.Fit says. So the screens' test proves that the metrics and the styles agree.
func (s Sample) In(b view.Box, m view.Modes) view.View {
	v, fit := s.View, view.Fit(b, m)
	v.Modes = m
	switch body := v.Body.(type) {
	case view.Browse:
		body.Items = rows(body.Items, fit, fit.Rows, func(r view.ItemRow) string { return r.Name })
		body.Packages = body.Packages[:min(len(body.Packages), fit.Tiles)]
		v.Body = body
	case view.Package:
		body.Items = rows(body.Items, fit, max(fit.Rows-1, 1), func(r view.ItemRow) string { return r.Name })
		v.Body = body
	case view.Search:
		body.Results = rows(body.Results, fit, fit.Results, func(r view.ItemRow) string { return r.Name })
		v.Body = body
	case view.Negative:
		body.Rows = body.Rows[:min(len(body.Rows), fit.Rows)]
		v.Body = body
	case view.ListRows:
		body.Rows = rows(body.Rows, fit, fit.Rows, func(r view.ListRow) string { return r.Name })
		v.Body = body
	case view.Progress:
		body.Cases = rows(body.Cases, fit, fit.Cases, func(r view.CaseRow) string { return r.Name })
		v.Body = body
	case view.Accepted:
		body.Cases = body.Cases[:min(len(body.Cases), fit.Receipts)]
		v.Body = body
	case view.Maintenance:
		ends := view.CardPages(b, m, body.Cards)
		body.Cards, body.Pager = body.Cards[:ends[0]], view.Pager{Page: 1, Pages: len(ends)}
		v.Body = body
	case view.Guide:
		body.Sections = sections(body.Sections, fit)
		v.Body = body
	case view.Document:
		body.Sections = sections(body.Sections, fit)
		v.Body = body
	case view.Letter:
		body.Paragraphs = paragraphs(body.Paragraphs, fit)
		v.Body = body
	}
	return v
}

// rows is the first page of a list, made as long as its page when it is shorter than that.
func rows[T any](all []T, m view.Metrics, n int, name func(T) string) []T {
	if len(all) == 0 {
		return nil
	}
	var full []T
	var names []string
	for i := range max(n, len(all)) {
		full, names = append(full, all[i%len(all)]), append(names, name(all[i%len(all)]))
	}
	return full[:m.RowPages(names, n)[0]]
}

const gap = 0.6 // of a line, between paragraphs

func lines(text string, m view.Metrics) float64 {
	return math.Ceil(float64(len([]rune(text)))/float64(m.Chars)) + gap
}

func sections(all []view.Section, m view.Metrics) []view.Section {
	var out []view.Section
	used := 0.0
	for i := 0; ; i++ {
		s := all[i%len(all)]
		used += 1.6
		keep := view.Section{Head: s.Head}
		for _, l := range s.Lines {
			if used += lines(l, m); used > float64(m.Lines)+gap {
				break
			}
			keep.Lines = append(keep.Lines, l)
		}
		if len(keep.Lines) > 0 {
			out = append(out, keep)
		}
		if used > float64(m.Lines) {
			return out
		}
	}
}

func paragraphs(all []view.Paragraph, m view.Metrics) []view.Paragraph {
	var out []view.Paragraph
	used := 0.0
	for i := 0; ; i++ {
		p := all[i%len(all)]
		if p.Head {
			used++
		}
		if used += lines(p.Text, m); used > float64(m.Lines)+gap {
			return out
		}
		out = append(out, p)
	}
}
