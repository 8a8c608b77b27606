// Package evaluation keeps 好差评: invitations to rate a service, and the ratings people give.
//
// A rating exists only because a person touched a choice or pressed a button while an invitation was open. Nothing rates by
// default: an invitation that was declined, ran out or met a fault is counted as that. There is at most one rating for a service
// of a case, and neither its level nor its time ever changes; reasons and a text may be added while it is open.
package evaluation
