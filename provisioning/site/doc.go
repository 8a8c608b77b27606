// Package site is a park's provisioning authority on the technician's laptop: it knows which machines there are to be, vouches
// for those that enrolled, and makes their bundles. It needs no network and no server.
//
// A site is a folder:
//
//	site.key     the site's Ed25519 key: whoever has it can configure every machine of the site. Keep a copy in a safe.
//	site.db      the registry: one SQLite file
//	payload/     what goes into bundles:
//	  kiosk.yaml       the configuration of every machine, a text/template over the columns of the table that planned it
//	  content/         the park's content, if it has its own
//	  secrets/all/     files for every machine, sealed to each; secrets/NUMBER/ for one
//	  program/         packages of the program; the newest of a machine's architecture goes along
package site
