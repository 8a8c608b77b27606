package bench

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yuanban/devices/idcard"
)

// today is the day of these tests.
var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func TestWhatIsLeftOutIsFilledIn(t *testing.T) {
	for _, c := range []struct {
		in   cardRequest
		want idcard.Card // fields that are empty may be anything
	}{
		{cardRequest{}, idcard.Card{Kind: idcard.Resident, Name: "张三", Number: "11010519491231002X", Birth: "19491231", Permanent: true}},
		{cardRequest{Kind: "resident", Name: "张三", Number: "11010519491231002X"}, idcard.Card{Sex: "男", Nation: "汉", Address: "北京市朝阳区示例路1号"}},
		{cardRequest{Number: "440524188001010014"}, idcard.Card{Birth: "18800101", Sex: "男", Address: "广东省示例市示例区示例路8号", Permanent: true}},
		{cardRequest{Number: "44052418800101001４"}, idcard.Card{Number: "440524188001010014"}},
		{cardRequest{Name: "例小", Birth: "20150301"}, idcard.Card{Birth: "20150301", ValidFrom: "20240301", ValidTo: "20290301"}},
		{cardRequest{Name: "例青", Birth: "20020301"}, idcard.Card{ValidTo: "20340301"}},
		{cardRequest{Name: "例中", Birth: "19850301"}, idcard.Card{ValidTo: "20440301"}},
		{cardRequest{Name: "例老", Birth: "19500301"}, idcard.Card{Permanent: true}},
		{cardRequest{Name: "例期", Birth: "19850301", ValidTo: "20200101"}, idcard.Card{ValidFrom: "20150101", ValidTo: "20200101"}},
		{cardRequest{Name: "例新", ValidTo: "长期"}, idcard.Card{Permanent: true}},
		{cardRequest{Birth: "19991231", Sex: "女"}, idcard.Card{Name: "李静"}},
		{cardRequest{Number: "11010519491231002X", Birth: "19500101"}, idcard.Card{Number: "11010519491231002X", Birth: "19500101"}}, // a card that contradicts itself
		{cardRequest{Kind: "hmt"}, idcard.Card{Kind: idcard.HMT, Name: "李四", Number: "81000019900109008X", PassNumber: "H00000001", ValidTo: "20290301"}},
		{cardRequest{Kind: "hmt", Name: "例澳", PassNumber: "M12345678"}, idcard.Card{PassNumber: "M12345678"}},
		{cardRequest{Kind: "foreign_I"}, idcard.Card{Kind: idcard.Foreign2017, EnglishName: "EXAMPLE, JANE", Birth: "19901231", Country: "KAZ"}},
		{cardRequest{Kind: "foreign_Y"}, idcard.Card{Kind: idcard.Foreign2023, EnglishName: "EXAMPLE, JOHN", Number: "932682198501010017", Sex: "男"}},
		{cardRequest{Kind: "foreign2017", EnglishName: "SAMPLE, ANN", Country: "USA", Birth: "19800101"}, idcard.Card{Number: ""}},
	} {
		got, err := complete(c.in, today)
		if err != nil {
			t.Errorf("%+v: %v", c.in, err)
			continue
		}
		asked, err := json.Marshal(c.want)
		if err != nil {
			t.Fatal(err)
		}
		filled := got
		if err := json.Unmarshal(asked, &filled); err != nil { // lays what is wanted over what came
			t.Fatal(err)
		}
		if filled.Kind = got.Kind; filled != got {
			have, _ := json.Marshal(got)
			t.Errorf("%+v:\n got %s\nwant %s", c.in, have, asked)
		}
	}
}

// Whatever is given and possible stays, and whatever is filled in agrees with it and with itself.
func TestFilledInCardsAgreeWithThemselves(t *testing.T) {
	maybe := func(t *rapid.T, name string, values ...string) string {
		return rapid.SampledFrom(append(values, "", "")).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		born := time.Date(1930, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 96*365).Draw(t, "days")).Format(day)
		in := cardRequest{
			Kind: maybe(t, "kind", "resident", "hmt", "foreign2017", "foreign2023", "hmt_J"), Name: maybe(t, "name", "例名", "欧阳示例", "𠮷㛃"),
			Sex: maybe(t, "sex", "男", "女"), Birth: maybe(t, "birth", born), EnglishName: maybe(t, "english", "EXAMPLE, LEE"),
			PassNumber: maybe(t, "pass", "M12345678", "12345678"), Country: maybe(t, "country", "USA", "GBR"),
		}
		c, err := complete(in, today)
		if err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		if err := c.Check(); err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		if c.Expired(today) {
			t.Fatalf("%+v: expired on %s", in, c.ValidTo)
		}
		for _, f := range [][2]string{{in.Name, c.Name}, {in.Sex, c.Sex}, {in.Birth, c.Birth}, {in.EnglishName, c.EnglishName}, {in.PassNumber, c.PassNumber}, {in.Country, c.Country}} {
			if f[0] != "" && f[0] != f[1] {
				t.Fatalf("%+v: gave %q, got %q", in, f[0], f[1])
			}
		}
		example := slices.ContainsFunc(idcard.Examples(), func(e idcard.Card) bool { return e.Number == c.Number })
		if odd := (c.Number[16%len(c.Number)]-'0')%2 == 1; !example && len(c.Number) == 18 && odd != (c.Sex == "男") {
			t.Fatalf("%+v: sex %s contradicts the number", in, c.Sex)
		}
		again, err := complete(in, today)
		if err != nil || again != c {
			t.Fatalf("%+v: another card the second time", in)
		}
	})
}

func TestTrayHasAllKindsAndOneExpiredCard(t *testing.T) {
	for _, now := range []time.Time{today, today.AddDate(10, 0, 0)} {
		var kinds []idcard.Kind
		expired := 0
		for _, c := range tray(now) {
			if err := c.Card.Check(); err != nil {
				t.Errorf("%s: %v", c.Note, err)
			}
			if c.Card.Expired(now) {
				expired++
			}
			kinds = append(kinds, c.Card.Kind)
		}
		for _, k := range idcard.Kinds() {
			if !slices.Contains(kinds, k) {
				t.Errorf("no card of kind %s", k)
			}
		}
		if expired != 1 || len(kinds) != 6 {
			t.Errorf("%d: %d of %d cards have expired", now.Year(), expired, len(kinds))
		}
	}
}

func FuzzCard(f *testing.F) {
	for _, s := range []string{`{}`, `{"kind":"hmt_J","name":"例"}`, `{"number":"11010519491231002X","validTo":"长期"}`, `{"kind":"foreign2017","birth":"19800101","country":"USA"}`,
		`{"name":"\ud83d"}`, `{"number":"1","sex":"9","nation":"81","permanent":false}`, `{"a":{"b":[1]}}`, `[{}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in cardRequest
		if strict(data, &in) != nil {
			return
		}
		c, err := complete(in, today)
		if err != nil {
			return
		}
		b, err := idcard.EncodeCard(c)
		if err != nil {
			t.Fatalf("%s: accepted, but %v", data, err)
		}
		if _, err := idcard.DecodeCard(b); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
	})
}
