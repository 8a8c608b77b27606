// Package receiptline reads receipt templates: a documented subset of ReceiptLine, the receipt description language of the Open Foodservice
// System Consortium (OFSC ReceiptLine Specification, as the npm package receiptline 4.0.4 plays it), with places for values.
//
// A template is text. [ParseFor] reads it once, holds it to the names that there are, and tells every problem at once;
// [Template.Document] fills values in and gives a [printer.Document], as often as wanted. Values go in after the text was read, as they
// are: whatever a visitor is called, the layout stays what the template says.
//
// # The format
//
// A line of the template is a line of paper, or more if it does not fit. It has one column or more, parted by |. A column leans to the
// side on which it touches its |, like a magnet:
//
//	text     or |text| or | text |   in the middle
//	|text                            at the left
//	text|                            at the right
//	left | right                     two columns, at the left and at the right edge
//	left |left                       two columns, both at the left
//
// In a text:
//
//	"bold"  _underline_   begin and end
//	^wide^  ^^high^^      twice as wide, twice as high; ^^^ is both, ^^^^ three times, up to ^^^^^^^ six times
//	~                     a space that is not trimmed
//	\n                    a new line within the column
//	\\ \{ \} \| \- \= \~ \_ \" \` \^   the character itself
//	\x41                  the character with that number, 20 to 7E and A0 to FF
//
// A line of nothing but - is a rule, a line of nothing but = cuts the paper. The cut at the end is not written. An empty line is empty
// paper. A line in braces says how things are; several are parted by ; and a long name may be written instead of its first letter:
//
//	{w:8,*}   width of the columns in the lines that follow: a number of half Hanzi, 2 or more, or * for an equal share of the
//	          rest; {w:auto} shares everything equally
//	{b:2}     empty half Hanzi between columns: 0, 1 or 2, space is 1, none is 0
//	{a:left}  where lines stand that are narrower than the paper: left, center, right
//	{t:nowrap}  prints only what fits on one line; {t:wrap} ends that
//	{c:data; o:qrcode,6,m}  a QR code, with 3 to 8 dots a module and the level l, m, q or h. Without the numbers the printer's profile
//	          decides. o stays in force for the codes that follow.
//	{_:text}  a note to whoever reads the template
//
// # What is ours
//
// ReceiptLine has no values; braces within braces, which mean nothing there, are ours. The words are those of the park's commitment
// letters, so that a clerk learns them once:
//
//	{{name}}             a value, in a text or in the data of a code
//	{{有 name}}line      the line only if the value is not empty; at its beginning, and there may be several
//	{{无 name}}line      the line only if it is empty
//	{{每个list}}         begins lines that are repeated for each entry of a list, with the entry's own values besides the others
//	{{list结束}}         ends them; both stand alone on their lines
//
// A value is one paragraph: its line feeds are spaces, and spaces at its ends are dropped.
//
// # What differs
//
// Text is wrapped by the rules of Chinese typesetting, where ReceiptLine breaks anywhere: no closing mark begins a line, no opening mark
// ends one, words and numbers stay whole, blanks at a break are dropped, and a last line never holds a single Hanzi if that can be helped.
// A rule is drawn with ─, so one over an odd number of columns is one shorter. A column is never so narrow that a Hanzi would be lost,
// a character wider than its column is made as wide as that, and columns that do not fit beside each other stand below each other, where
// ReceiptLine drops what does not fit. A code without numbers has the size and level of the printer's profile, and stands on the whole
// width of the paper. A tab within a text is a space. The end of the last line is not another empty line.
//
// Not in the subset, and refused with a word on what to write instead: reversed text, images, commands to the printer, bar codes, vertical
// lines, columns of width 0, more columns than widths. What ReceiptLine passes over in silence, such as a misspelt property or a single brace,
// is a problem here.
package receiptline
