// Package ui turns views into screens: templates, styles, small browser modules and the display websocket.
//
// The browser is a display. A flow shows a view.View; the server renders it with html/template, sends the whole page to
// a display that has just connected and afterwards only the regions that changed, and hands what a person does on the
// page back as a view.Action. There is no state of a visit in the browser.
//
// The package is the owner of gorilla/websocket for displays and of boombuler/barcode for QR codes on screens.
package ui
