// Package casefile keeps the cases (办件) that this machine has accepted: acceptance (收件受理), due dates, the signed commitment
// letter (告知承诺书), completion (办结出件), and the papers that tell a person about them.
//
// What a person is called, where they can be reached, the text of their letter and their signature leave this package sealed to
// the platform's key and are deleted after the platform has acknowledged them. The machine itself finds a person's cases by a
// keyed hash of the id number.
package casefile
