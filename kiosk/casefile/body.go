package casefile

import (
	"encoding/hex"
	"encoding/json"
	"time"
)

// What facts say in clear. Nothing here may tell who the applicant is.

type acceptedFact struct {
	Case        string       `json:"case"`
	Visit       string       `json:"visit"`
	Channel     string       `json:"channel"`
	Package     *packageBody `json:"package,omitempty"`
	Item        itemBody     `json:"item"`
	AcceptedAt  string       `json:"accepted_at"`
	Due         string       `json:"due,omitempty"`
	DueText     string       `json:"due_text"`
	ListVersion string       `json:"list_version"`
	Letter      letterBody   `json:"letter"`
	Service     serviceBody  `json:"service"`
}

type packageBody struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

type itemBody struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	Department string `json:"department"`
	Kind       string `json:"kind"`
	Mode       string `json:"mode"`
	Promise    string `json:"promise"`
	Amount     int    `json:"promise_amount"`
	Unit       Unit   `json:"promise_unit"`
	Seal       string `json:"seal"`
}

type letterBody struct {
	Template              string   `json:"template"`
	Version               string   `json:"version"`
	SHA256                string   `json:"sha256"`
	Acknowledged          []string `json:"acknowledged"`
	NegativeListConfirmed bool     `json:"negative_list_confirmed"`
	SealedWith            string   `json:"sealed_with"` // the case whose sealed part has the text and the signature
}

type serviceBody struct {
	N     int    `json:"n"`
	Stage string `json:"stage"`
}

type completedBody struct {
	Case           string      `json:"case"`
	PlatformNumber string      `json:"platform_number,omitempty"`
	CompletedAt    string      `json:"completed_at"`
	Service        serviceBody `json:"service"`
}

// Personal is the sealed part of case.accepted, as the platform reads it.
type Personal struct {
	Case       string          `json:"case"` // binds the sealed part to its case
	Name       string          `json:"name"`
	Number     string          `json:"number"`
	IDKind     string          `json:"id_kind"`
	CreditCode string          `json:"credit_code,omitempty"`
	NoCompany  bool            `json:"no_company,omitempty"`
	Phone      string          `json:"phone,omitempty"`
	Delivery   string          `json:"delivery,omitempty"`
	QueryCode  string          `json:"query_code"`
	LetterText string          `json:"letter_text,omitempty"`
	Signature  json.RawMessage `json:"signature,omitempty"`
}

func acceptedBody(a Application, item Item, c Case, first string) acceptedFact {
	b := acceptedFact{
		Case: c.Number, Visit: a.Visit, Channel: a.Channel,
		Item: itemBody{Code: item.Code, Name: item.Name, Department: item.Department, Kind: item.Kind, Mode: item.Mode,
			Promise: item.PromiseText, Amount: item.Promise.Amount, Unit: item.Promise.Unit, Seal: item.Seal},
		AcceptedAt: stamp(c.AcceptedAt), Due: stamp(c.Due), DueText: c.DueText, ListVersion: a.Letter.ListVersion,
		Letter: letterBody{Template: a.Letter.Template, Version: a.Letter.Version, SHA256: hex.EncodeToString(a.Letter.TextSHA256[:]),
			NegativeListConfirmed: a.Letter.NegativeListConfirmed, SealedWith: first},
		Service: serviceBody{N: 1, Stage: "acceptance"},
	}
	if a.Package != "" {
		b.Package = &packageBody{Code: a.Package, Name: a.PackageName}
	}
	if first == "" {
		b.Letter.SealedWith = c.Number
	}
	for _, at := range a.Letter.Acknowledged {
		b.Letter.Acknowledged = append(b.Letter.Acknowledged, stamp(at.In(c.AcceptedAt.Location())))
	}
	return b
}

// sealCase seals the personal part. The letter and the signature, the bulk of it, go with the first case of an application only.
func (f *Files) sealCase(a Application, c Case, first string) ([]byte, error) {
	p := Personal{Case: c.Number, Name: a.Applicant.Name, Number: a.Applicant.Number, IDKind: a.Applicant.IDKind, CreditCode: a.Applicant.CreditCode,
		NoCompany: a.Applicant.NoCompany, Phone: a.Applicant.Phone, Delivery: a.Delivery, QueryCode: c.QueryCode}
	if first == "" {
		p.LetterText, p.Signature = a.Letter.Text, a.Signature
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return f.opts.Sealer.Seal(plain)
}

// stamp writes a time with its zone, to the second, as case records carry it; none as "".
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
