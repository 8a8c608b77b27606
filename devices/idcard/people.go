package idcard

import "yuanban/devices/idnumber"

// Examples returns cards to lay on a simulated reader: one of each kind first, in the
// order of Kinds, then residents whose cards are special in some way. All persons are
// fictional.
func Examples() []Card {
	return []Card{
		{
			Kind: Resident, Name: "张三", Sex: "男", Nation: "汉", Birth: "19491231", Address: "北京市朝阳区示例路1号",
			Number: "11010519491231002X", Authority: "北京市公安局朝阳分局", ValidFrom: "20200101", Permanent: true,
		},
		{
			Kind: HMT, Name: "李四", Sex: "女", Birth: "19900109", Address: "深圳市南山区示例道2号", Number: "81000019900109008X",
			Authority: "深圳市公安局南山分局", ValidFrom: "20190901", ValidTo: "20240901", PassNumber: "H00000001", Issue: "01",
		},
		{
			Kind: Foreign2017, Name: "例简", EnglishName: "EXAMPLE, JANE", Sex: "女", Birth: "19901231", Number: "KAZ110090123105",
			Country: "KAZ", Authority: "1100", ValidFrom: "20180601", ValidTo: "20280601", Issue: "01",
		},
		{
			Kind: Foreign2023, Name: "例约翰", EnglishName: "EXAMPLE, JOHN", Sex: "男", Birth: "19850101", Number: "932682198501010017",
			Country: "SAU", ValidFrom: "20231201", ValidTo: "20331201", Issue: "00", Link: "000",
		},
		// The longest name the card holds, with the dot of its people.
		resident("阿卜杜热合曼·示例买提江", "男", "维吾尔", "65010219880315011", "乌鲁木齐市天山区示例巷3号", "20190506", "20390506"),
		// A character outside the basic plane and one that few fonts have.
		resident("𠮷㛃", "女", "汉", "32059419951120402", "江苏省苏州市工业园区示例街4号5幢601室", "20210808", "20310808"),
		// A card whose validity is over.
		resident("王期满", "男", "回", "44030119850615003", "广东省深圳市罗湖区示例大厦7号", "20050615", "20150615"),
		// A people whose code the standard does not have.
		resident("赵示例", "女", "其他(81)", "52010319760704002", "贵州省贵阳市南明区示例坡9号", "20180704", "20380704"),
	}
}

// resident completes the number of a fictional resident by its check character.
func resident(name, sex, nation, digits, address, from, to string) Card {
	return Card{
		Kind: Resident, Name: name, Sex: sex, Nation: nation, Birth: digits[6:14], Address: address,
		Number: digits + string(idnumber.ResidentCheck(digits)), Authority: "示例市公安局", ValidFrom: from, ValidTo: to,
	}
}

// Complete fills the fields left out of a card from the first example of its kind, a
// resident identity card when no kind is given. The birth date and the sex follow from
// an 18-character number when only that is given.
func Complete(c Card) Card {
	if c.Kind == "" {
		c.Kind = Resident
	}
	var base Card
	for _, e := range Examples() {
		if e.Kind == c.Kind {
			base = e
			break
		}
	}
	if number := idnumber.Normalise(c.Number); len(number) == 18 {
		fill(&c.Birth, number[6:14])
		fill(&c.Sex, map[bool]string{true: "男", false: "女"}[number[16]%2 == 1])
	}
	if c.ValidTo == "" && !c.Permanent {
		c.ValidTo, c.Permanent = base.ValidTo, base.Permanent
	}
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&c.Name, base.Name}, {&c.EnglishName, base.EnglishName}, {&c.Sex, base.Sex}, {&c.Nation, base.Nation},
		{&c.Birth, base.Birth}, {&c.Address, base.Address}, {&c.Number, base.Number}, {&c.Authority, base.Authority},
		{&c.ValidFrom, base.ValidFrom}, {&c.PassNumber, base.PassNumber}, {&c.Country, base.Country},
		{&c.Issue, base.Issue}, {&c.Link, base.Link},
	} {
		fill(f.to, f.from)
	}
	return c
}

func fill(to *string, from string) {
	if *to == "" {
		*to = from
	}
}
