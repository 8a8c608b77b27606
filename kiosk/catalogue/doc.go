// Package catalogue is the content of a park (园区): items (事项), packages (一件事一次办), the disclosed lists (清单),
// policy documents, commitment letters (告知承诺书), the working-day calendar, staff and helpers.
//
// Content is one folder of readable files that a clerk of the park can edit with a text editor:
//
//	catalogue.yaml   the park: name, hours, address, phones, seals, channels
//	defaults.yaml    departments, and what every item of a mode has in common
//	packages/*.yaml  one package each, with its items
//	items/*.yaml     items of no package
//	letters/*.md     letter templates, each in three parts
//	receipts/*.receipt  what is on the papers; the built-in ones where a park has none
//	lists/           lists.yaml and one CSV file for each list
//	documents/*.md   policy documents
//	calendar/*.csv   one year each: what differs from Monday to Friday
//	staff.yaml, helpers.yaml, help.yaml, reasons.csv, photos/
//
// Load reads the folder and reports every problem at once with file and line. Lint then judges content that is well
// formed: whether it keeps the promises that the park has published.
package catalogue
