//! The figures were computed apart from this code: Erlang C by sums of thirty-digit factorials, Erlang A by solving the
//! birth-death chain state by state and the wait as a chain of exponential steps.

use super::*;

const T: Threshold = Threshold { within_s: 20.0, short_s: 5.0 };

fn near(what: &str, got: f64, wanted: f64) {
    let error = (got - wanted).abs() / wanted.abs().max(1e-3);
    assert!(error < 1e-6, "{what}: {got} instead of {wanted}");
}

fn load(calls_per_hour: f64, aht_s: f64, agents: u32) -> Load {
    Load { calls_per_hour, aht_s, agents }
}

#[test]
fn erlang_b_and_c_give_the_known_values() {
    near("blocked", erlang_b(10.0, 14), 0.056_819_143_386_520_86);
    near("blocked", erlang_b(100.0, 107), 0.039_106_051_914_327_096);
    for (load, waits, level, asa_s, occupancy) in [
        (load(200.0, 180.0, 14), 0.174_131_933_595_049_83, 0.888_350_019_179_466_9, 7.835_937_011_777_243, 10.0 / 14.0),
        (load(400.0, 240.0, 32), 0.236_264_475_547_214_83, 0.848_511_851_796_437_3, 10.631_901_399_624_667, 5.0 / 6.0),
        (
            load(2000.0, 180.0, 107),
            0.383_511_957_532_718_5,
            0.823_804_702_882_899_5,
            9.861_736_050_841_333,
            100.0 / 107.0,
        ),
        (load(200.0, 180.0, 11), 0.682_118_204_689_332_4, 0.389_613_811_729_153_4, 122.781_276_843_840_79, 10.0 / 11.0),
    ] {
        let outlook = erlang_c(&load, &T).unwrap();
        near("waits", outlook.waits, waits);
        near("level", outlook.ends.service_level(Variant::C).unwrap(), level);
        near("ASA", outlook.asa_s, asa_s);
        near("occupancy", outlook.occupancy, occupancy);
        assert_eq!(outlook.abandon_s, None);
    }
    assert_eq!(erlang_c(&load(200.0, 180.0, 10), &T), None, "ten Erlang for ten agents never come to rest");
}

#[test]
fn erlang_c_staffs_as_the_tables_do() {
    for (calls, aht_s, agents) in
        [(200.0, 180.0, 14), (400.0, 240.0, 32), (2000.0, 180.0, 107), (2000.0, 90.0, 54), (2000.0, 300.0, 176)]
    {
        let needed = agents_needed(&load(calls, aht_s, 1), 0.8, Variant::C, |l| erlang_c(l, &T));
        assert_eq!(needed, Some(agents), "{calls} calls of {aht_s} s");
    }
    assert_eq!(agents_needed(&load(1.0, 1.0, 1), 0.8, Variant::C, |l| erlang_c(l, &T)), Some(1));
    assert_eq!(agents_needed(&load(1.0, 1.0, 1), 1.1, Variant::C, |l| erlang_c(l, &T)), None);
}

/// Load, patience, threshold, short; waits, abandoned, ASA, wait of abandoners, answered within, abandoned within, short.
type Case = (Load, f64, f64, f64, [f64; 7]);

#[test]
fn erlang_a_agrees_with_the_chain_solved_state_by_state() {
    let cases: [Case; 6] = [
        (
            load(200.0, 180.0, 10),
            120.0,
            20.0,
            5.0,
            [
                0.496_852_747_630_142_26,
                0.137_463_826_276_449_85,
                14.554_229_655_382_318,
                28.677_432_467_206_476,
                0.639_941_307_035_988_3,
                0.065_041_037_393_751_97,
                0.019_503_813_258_928_252,
            ],
        ),
        (
            load(200.0, 180.0, 14),
            60.0,
            20.0,
            5.0,
            [
                0.111_527_340_716_234_41,
                0.030_321_837_312_992_005,
                1.408_290_551_892_408_7,
                14.963_527_414_501_714,
                0.943_776_107_339_788_3,
                0.022_142_601_280_588_27,
                0.008_127_466_080_660_067,
            ],
        ),
        (
            load(400.0, 240.0, 20),
            90.0,
            30.0,
            5.0,
            [
                0.788_914_675_496_428_7,
                0.270_323_516_107_507_43,
                24.193_456_483_103_024,
                24.695_299_492_531_57,
                0.474_997_538_860_212_34,
                0.184_096_740_057_134_75,
                0.041_497_378_082_624_66,
            ],
        ),
        (
            load(2000.0, 180.0, 90),
            180.0,
            20.0,
            5.0,
            [
                0.853_653_825_301_267_2,
                0.107_900_432_690_852_46,
                19.792_795_292_653_81,
                16.357_059_225_102_4,
                0.486_799_013_538_950_4,
                0.072_685_117_694_027_81,
                0.022_454_572_326_389_515,
            ],
        ),
        (
            load(2000.0, 75.0, 50),
            240.0,
            20.0,
            5.0,
            [
                0.132_280_540_667_936_32,
                0.003_819_534_217_339_971_4,
                0.895_559_631_982_997,
                6.427_276_060_304_612,
                0.989_936_450_408_651_5,
                0.003_672_882_323_293_478_5,
                0.002_006_150_381_577_400_3,
            ],
        ),
        (
            load(60.0, 300.0, 1),
            30.0,
            10.0,
            2.0,
            [
                0.887_803_201_267_711_2,
                0.822_439_359_746_457_8,
                11.328_379_217_084_86,
                27.554_258_264_778_806,
                0.129_008_396_315_893_11,
                0.249_060_453_648_480_78,
                0.057_136_807_275_243_374,
            ],
        ),
    ];
    for (load, patience_s, within_s, short_s, [waits, gone, asa_s, gone_s, good, gone_within, gone_short]) in cases {
        let outlook = erlang_a(&load, patience_s, &Threshold { within_s, short_s }).unwrap();
        near("waits", outlook.waits, waits);
        near("abandoned", outlook.ends.abandoned, gone);
        near("ASA", outlook.asa_s, asa_s);
        near("wait of abandoners", outlook.abandon_s.unwrap(), gone_s);
        near("answered within", outlook.ends.answered_within, good);
        near("abandoned within", outlook.ends.abandoned_within, gone_within);
        near("abandoned short", outlook.ends.abandoned_short, gone_short);
        near("length", outlook.length, gone * patience_s * load.calls_per_hour / 3_600.0);
        near("occupancy", outlook.occupancy, load.erlangs() * (1.0 - gone) / f64::from(load.agents));
    }
}

#[test]
fn the_limits_of_patience() {
    // Endless patience is Erlang C; so is very great patience, nearly.
    let calm = load(200.0, 180.0, 12);
    let (c, a) = (erlang_c(&calm, &T).unwrap(), erlang_a(&calm, 1e9, &T).unwrap());
    assert!((c.waits - a.waits).abs() < 1e-5, "{} {}", c.waits, a.waits);
    assert!((c.asa_s - a.asa_s).abs() < 1e-3, "{} {}", c.asa_s, a.asa_s);
    assert!((c.ends.answered_within - a.ends.answered_within).abs() < 1e-5);
    assert_eq!(erlang_a(&calm, f64::INFINITY, &T), Some(c));
    // No patience is Erlang B: whoever finds no agent is gone.
    let b = erlang_b(calm.erlangs(), calm.agents);
    let none = erlang_a(&calm, 1e-6, &T).unwrap();
    assert!((none.ends.abandoned - b).abs() < 1e-6, "{} {b}", none.ends.abandoned);
    assert!((none.waits - b).abs() < 1e-6);
    // Patience as long as a call makes the number in the system that of M/M/∞: Poisson.
    let even = load(200.0, 180.0, 3);
    let poisson = |n: u32| (1..=n).fold((-10.0f64).exp(), |p, k| p * 10.0 / f64::from(k));
    let free: f64 = (0..3).map(poisson).sum();
    near("waits", erlang_a(&even, 180.0, &T).unwrap().waits, 1.0 - free);
    // Twice the load: half is served, whatever the patience.
    let double = erlang_a(&load(2000.0, 180.0, 50), 1e7, &T).unwrap();
    assert!((double.ends.answered - 0.5).abs() < 1e-6 && double.occupancy > 0.999_999);
    let wait_s = 1e7 * std::f64::consts::LN_2;
    assert!((double.asa_s / wait_s - 1.0).abs() < 1e-3, "all wait until half of them have gone: {}", double.asa_s);
}

#[test]
fn more_agents_are_never_worse_and_shares_stay_shares() {
    for calls in [1.0, 30.0, 500.0, 20_000.0] {
        for patience_s in [0.5, 30.0, 600.0, 100_000.0] {
            let mut before = 0.0;
            for agents in [1, 2, 5, 20, 25, 100, 1_000, 1_100] {
                let o = erlang_a(&load(calls, 180.0, agents), patience_s, &T).unwrap();
                let level = o.ends.service_level(Variant::B).unwrap();
                let shares = [o.waits, level, o.occupancy, o.ends.abandoned, o.ends.abandoned_within];
                assert!(
                    shares.iter().all(|s| (-1e-9..=1.0 + 1e-9).contains(s)),
                    "{calls} {patience_s} {agents}: {o:?}"
                );
                assert!(level >= before - 1e-9, "{calls} {patience_s} {agents}: {level} after {before}");
                assert!(o.ends.abandoned_short <= o.ends.abandoned_within + 1e-12 && o.asa_s >= 0.0);
                before = level;
            }
        }
    }
    assert_eq!(erlang_a(&load(0.0, 180.0, 1), 60.0, &T), None);
    assert_eq!(erlang_a(&load(10.0, f64::NAN, 1), 60.0, &T), None);
    assert_eq!(erlang_a(&load(10.0, 180.0, 0), 60.0, &T), None);
    assert_eq!(erlang_a(&load(10.0, 180.0, 1), 0.0, &T), None);
}

#[test]
fn each_variant_of_the_service_level_has_its_own_denominator() {
    let ends = Ends {
        offered: 120.0,
        answered: 80.0,
        answered_within: 60.0,
        abandoned: 20.0,
        abandoned_within: 12.0,
        abandoned_short: 4.0,
    };
    let levels = Variant::ALL.map(|v| ends.service_level(v).unwrap());
    assert_eq!(levels, [0.75, 0.6, 0.625, 0.72, 0.5]);
    assert_eq!(Variant::ALL.map(Variant::letter), ['a', 'b', 'c', 'd', 'e']);
    assert_eq!(Ends::default().service_level(Variant::C), None);
}
