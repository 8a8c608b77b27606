// Package identity is who a machine is towards its site: keys that are born on the machine and never leave it, the request by
// which it asks to be enrolled, and the short code by which a person who stands before it says that the request is its own.
//
// Enrolment needs no secret that was there before and no network. The machine draws a code at random and shows it (and prints it, if
// it has a printer). Its request carries a commitment that only the code opens; the site's answer carries a proof that only
// who knows the code can make. So the technician who reads the code at the machine and types it at the site vouches for both
// to each other, over a stick, a cable or a network that anybody may listen to or write on:
//
//	machine: key K = PBKDF2(code, the machine's public key)        request  + HMAC(K, "machine", request)
//	site:    the same K from the code that was typed               answer   + HMAC(K, "site", site's key, request)
//
// A code has 55 bits and is stretched by 100,000 rounds, holds for a day, and is good for one answer. A site counts wrong
// codes and gives a request up after a few.
package identity
