//! `secrets encrypt` and `secrets decrypt`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{CONFIG, Desk, PLAIN, SECRET, identity, next_second};

/// A plaintext of each format, as sops prints it.
const DOCUMENTS: [(&str, &str); 5] = [
    ("a.yaml", "a: hunter2-do-not-tell\nb:\n    - 1\n    - x: true\n"),
    ("a.json", "{\n\t\"a\": \"hunter2-do-not-tell\",\n\t\"b\": [\n\t\t1\n\t]\n}\n"),
    ("a.env", "A=hunter2-do-not-tell\n# note\nB=2\n"),
    ("a.ini", "[s]\na = hunter2-do-not-tell\n"),
    ("a.bin", "hunter2-do-not-tell\n\u{1}"),
];

#[test]
fn every_format_goes_round_in_place_and_sops_opens_it() {
    let desk = Desk::new();
    for (name, plain) in DOCUMENTS {
        desk.write(name, plain);
        let output = desk.run(&["encrypt", "-i", name]).success();
        let told = format!("{name}: encrypted for alice, bob (from secrets/age-recipients.txt)\n");
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", told.as_str()));
        let sealed = desk.read(name);
        assert!(!sealed.contains(SECRET) && sealed.contains("ENC[AES256_GCM"));
        for someone in ["A", "B"] {
            assert_eq!(desk.sops_decrypts(name, &[someone]).as_deref(), Some(plain), "{name}");
        }
        assert_eq!(desk.run(&["decrypt", name]).success().stdout, plain);

        let again = desk.run(&["encrypt", "-i", name]).success();
        assert_eq!((again.stderr, desk.read(name)), (format!("{name}: already encrypted, skipped\n"), sealed.clone()));
        assert_eq!(desk.run(&["encrypt", name]).success().stdout, sealed);

        let output = desk.run(&["decrypt", "-i", name]).success();
        assert_eq!((output.stderr, desk.read(name)), (format!("{name}: decrypted\n"), plain.to_owned()));
        let output = desk.run(&["decrypt", "-i", name]).success();
        assert_eq!((output.stderr, desk.read(name)), (format!("{name}: not encrypted, skipped\n"), plain.to_owned()));
    }
}

#[test]
fn what_is_printed_is_what_sops_prints() {
    let desk = Desk::new();
    desk.write("p.yaml", PLAIN);
    let (sealed, ok) = desk.sops(&["encrypt", "--age", &identity("A").1, "p.yaml"], &[]);
    assert!(ok);
    fs::write(desk.path("s.yaml"), sealed).expect("write");
    assert_eq!(desk.run(&["decrypt", "s.yaml"]).success().stdout, desk.sops_decrypts("s.yaml", &["A"]).expect("opens"));
    for path in [
        r#"["github_app"]"#,
        r#"["hosts"]"#,
        r#"["hosts"][1]"#,
        r#"["ratio"]"#,
        r#"["nothing"]"#,
        r#"["github_app"]["private_key"]"#,
    ] {
        let (real, ok) = desk.sops(&["decrypt", "--extract", path, "s.yaml"], &["A"]);
        assert!(ok, "{path}");
        let ours = desk.run(&["decrypt", "--extract", path, "s.yaml"]).success().stdout;
        assert_eq!(ours.as_bytes(), real, "{path}");
        assert_eq!(desk.run(&["get", "-f", "s.yaml", path]).success().stdout, ours, "{path}");
    }
    for kind in ["json", "dotenv"] {
        desk.write("flat.yaml", "a: 1\nb: x y\n");
        desk.run(&["encrypt", "-i", "flat.yaml"]).success();
        let (real, _) = desk.sops(&["decrypt", "--output-type", kind, "flat.yaml"], &["A"]);
        let ours = desk.run(&["decrypt", "--output-type", kind, "flat.yaml"]).success().stdout;
        assert_eq!(ours.as_bytes(), real, "{kind}");
        desk.write("flat.yaml", "");
    }
}

#[test]
fn standard_input_needs_a_name() {
    let desk = Desk::new();
    let sealed = desk.fed(&["encrypt", "--filename", "x.env", "-"], "A=hunter2-do-not-tell\n").success().stdout;
    assert!(sealed.contains("\nsops_mac=ENC["), "{sealed}");
    assert_eq!(
        desk.fed(&["decrypt", "--input-type", "dotenv", "-"], &sealed).success().stdout,
        "A=hunter2-do-not-tell\n"
    );
    assert_eq!(desk.fed(&["encrypt", "-"], "a: 1\n").code, Some(2));
    assert_eq!(desk.fed(&["encrypt", "-i", "-"], "a: 1\n").code, Some(2));
}

#[test]
fn modes_and_links_stay_and_new_files_are_private() {
    let desk = Desk::new();
    desk.write("real.yaml", "a: hunter2-do-not-tell\n");
    fs::set_permissions(desk.path("real.yaml"), fs::Permissions::from_mode(0o640)).expect("chmod");
    symlink("real.yaml", desk.path("link.yaml")).expect("link");
    desk.run(&["encrypt", "-i", "link.yaml"]).success();
    assert!(fs::symlink_metadata(desk.path("link.yaml")).expect("metadata").is_symlink());
    assert!(desk.read("real.yaml").contains("ENC["));
    assert_eq!(desk.mode("real.yaml"), 0o640);
    desk.run(&["decrypt", "-o", "out.yaml", "real.yaml"]).success();
    assert_eq!((desk.mode("out.yaml"), desk.read("out.yaml")), (0o600, "a: hunter2-do-not-tell\n".to_owned()));
    assert!(desk.read("real.yaml").contains("ENC["));
}

#[test]
fn recipients_come_from_the_first_place_that_names_any() {
    let (a, b, c) = (identity("A").1, identity("B").1, identity("C").1);
    let mut desk = Desk::new();
    desk.write("people", &format!("{c}\n"));
    let check = |desk: &Desk, args: &[&str], expected: &[&str], origin: &str| {
        desk.write("sub/x.yaml", "a: 1\n");
        let args: Vec<&str> = [&["encrypt", "-o", "sub/out.yaml", "--fresh", "--json"], args, &["sub/x.yaml"]].concat();
        let json = desk.run(&args).success().json();
        let told = &json["files"][0];
        let found: Vec<&str> =
            told["recipients"].as_array().expect("a list").iter().filter_map(|one| one["recipient"].as_str()).collect();
        assert_eq!((found.as_slice(), told["recipients_from"].as_str()), (expected, Some(origin)));
    };
    check(&desk, &[], &[&a, &b], "secrets/age-recipients.txt");
    desk.write(
        ".sops.yaml",
        &format!(
            "creation_rules:\n- path_regex: ^other\n  age: {a}\n- path_regex: ^sub/\n  age: >-\n    {b},\n    {c},\n"
        ),
    );
    check(&desk, &[], &[&b, &c], ".sops.yaml, rule 2");
    desk.env.set("SOPS_AGE_RECIPIENTS", &format!("# alice\n{a} # it is she,{c}"));
    check(&desk, &[], &[&a, &c], "SOPS_AGE_RECIPIENTS");
    check(&desk, &["--age", &format!("{b},,{b} "), "-r", &c], &[&b, &c], "--age");
    check(&desk, &["--recipients-file", "people"], &[&c], "people");
    desk.env.unset("SOPS_AGE_RECIPIENTS");
    desk.write("sub/.sops.yaml", &format!("creation_rules:\n- age: {c}\n"));
    check(&desk, &[], &[&c], "sub/.sops.yaml, rule 1");
    check(&desk, &["--config", ".sops.yaml"], &[&b, &c], ".sops.yaml, rule 2");
}

#[test]
fn wrong_recipients_are_named_but_a_secret_key_never() {
    let mut desk = Desk::new();
    desk.write("x.yaml", "a: 1\n");
    let output = desk.run(&["encrypt", "--age", "age1nonsense", "x.yaml"]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.starts_with("error: --age: \"age1nonsense\" is not a recipient: "), "{output}");
    desk.write("secrets/age-recipients.txt", &format!("# fine\n{}\nage1x\n", identity("A").1));
    let output = desk.run(&["encrypt", "x.yaml"]);
    assert!(output.stderr.starts_with("error: secrets/age-recipients.txt, line 3: \"age1x\" is not"), "{output}");
    desk.env.set("SOPS_AGE_RECIPIENTS", &identity("A").0);
    let output = desk.run(&["encrypt", "x.yaml"]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.contains("a secret key stands where a public one belongs"), "{output}");
    desk.env.unset("SOPS_AGE_RECIPIENTS");
    desk.write("secrets/age-recipients.txt", "# nobody yet\n");
    assert_eq!(
        desk.run(&["encrypt", "x.yaml"]).to_string(),
        "$ pforge secrets encrypt x.yaml\nexit 3\n--- stderr\n\
         error: nobody is named who may open x.yaml\n  \
         caused by: looked at --age, SOPS_AGE_RECIPIENTS, the creation rules of .sops.yaml, secrets/age-recipients.txt\n  \
         try: pforge secrets keygen -o key.txt >> secrets/age-recipients.txt\n  \
         try: pforge secrets encrypt --age age1… x.yaml\n"
    );
    desk.write(".sops.yaml", "creation_rules:\n- pgp: ABCD\n");
    let output = desk.run(&["encrypt", "x.yaml"]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.contains(".sops.yaml, rule 1 asks for a key of pgp"), "{output}");
}

#[test]
fn rules_come_from_flags_and_the_config() {
    let desk = Desk::new();
    let plain = "data:\n    a: hunter2-do-not-tell\nopen: hello\n";
    desk.write("x.yaml", plain);
    let cases: [&[&str]; 4] = [
        &["--encrypted-regex", "^data$"],
        &["--unencrypted-regex", "^open$"],
        &["--unencrypted-suffix", "pen"],
        &["--encrypted-suffix", "ata", "--mac-only-encrypted"],
    ];
    for flags in cases {
        let args = [&["encrypt"], flags, &["-o", "s.yaml", "--fresh", "x.yaml"]].concat();
        desk.run(&args).success();
        let sealed = desk.read("s.yaml");
        assert!(sealed.contains("open: hello") && !sealed.contains(SECRET), "{flags:?}");
        assert_eq!(desk.sops_decrypts("s.yaml", &["A"]).as_deref(), Some(plain), "{flags:?}");
    }
    assert!(desk.read("s.yaml").contains("mac_only_encrypted: true"));
    assert_eq!(desk.run(&["encrypt", "--encrypted-suffix", "a", "--encrypted-regex", "b", "x.yaml"]).code, Some(2));
    assert_eq!(desk.run(&["encrypt", "--encrypted-regex", "(", "x.yaml"]).code, Some(2));
    desk.write(
        ".sops.yaml",
        &format!(
            "creation_rules:\n- age: {}\n  encrypted_regex: ^data$\nstores:\n  yaml:\n    indent: 2\n",
            identity("A").1
        ),
    );
    let sealed = desk.run(&["encrypt", "x.yaml"]).success().stdout;
    assert!(sealed.contains("open: hello") && sealed.contains("\n  a: ENC["), "{sealed}");
}

#[test]
fn key_groups_are_needed_together() {
    let desk = Desk::new();
    let (a, b, c) = (identity("A").1, identity("B").1, identity("C").1);
    desk.write(
        ".sops.yaml",
        &format!("creation_rules:\n- shamir_threshold: 2\n  key_groups:\n  - age: [{a}]\n  - merge:\n    - age: [{b}]\n  - age: [{c}]\n"),
    );
    desk.write("x.yaml", "a: 1\n");
    desk.run(&["encrypt", "-i", "x.yaml"]).success();
    assert_eq!(desk.sops_decrypts("x.yaml", &["A"]), None);
    assert_eq!(desk.sops_decrypts("x.yaml", &["B", "C"]).as_deref(), Some("a: 1\n"));
    let output = desk.run(&["decrypt", "x.yaml"]);
    assert_eq!(output.code, Some(7));
    assert!(output.stderr.contains("identities of 2 of its 3 key groups are needed together"), "{output}");
}

#[test]
fn what_was_encrypted_before_is_taken_up() {
    let mut desk = Desk::with_config();
    next_second();
    desk.run(&["decrypt", "-i", CONFIG]).success();
    let plain = desk.read(CONFIG);
    desk.write(CONFIG, &plain.replace("id: 7", "id: 8"));
    let output = desk.run(&["encrypt", "-i", CONFIG]).success();
    assert!(output.stderr.contains("; what did not change is as it was at git HEAD"), "{output}");
    assert_eq!(desk.changed_lines(CONFIG), (3, 3));
    assert_eq!(desk.sops_decrypts(CONFIG, &["A"]), Some(plain.replace("id: 7", "id: 8")));
    let once = desk.read(CONFIG);

    // The file that is replaced counts as well.
    desk.write("plain.yaml", &plain.replace("id: 7", "id: 9"));
    next_second();
    let output = desk.run(&["encrypt", "-o", CONFIG, "plain.yaml"]).success();
    assert!(output.stderr.contains(&format!("as it was in {CONFIG}")), "{output}");
    assert_eq!(desk.read(CONFIG).lines().zip(once.lines()).filter(|(a, b)| a != b).count(), 3);

    // What did not change at all is the same file.
    desk.commit();
    desk.run(&["decrypt", "-i", CONFIG]).success();
    desk.run(&["encrypt", "-i", CONFIG]).success();
    assert_eq!(desk.changed_lines(CONFIG), (0, 0));

    desk.run(&["decrypt", "-i", CONFIG]).success();
    desk.run(&["encrypt", "--fresh", "-i", CONFIG]).success();
    assert!(desk.changed_lines(CONFIG).0 > 10);

    desk.run(&["decrypt", "-i", CONFIG]).success();
    desk.env.unset("SOPS_AGE_KEY");
    let output = desk.run(&["encrypt", "-i", CONFIG]).success();
    assert!(
        output.stderr.contains("warning:")
            && output.stderr.contains("every line changes: no identity here opens what is at git HEAD"),
        "{output}"
    );
    assert!(desk.sops_decrypts(CONFIG, &["B"]).is_some());
}

#[test]
fn new_people_are_added_and_gone_ones_need_a_new_key() {
    let desk = Desk::with_config();
    let (a, b, c) = (identity("A").1, identity("B").1, identity("C").1);
    desk.run(&["decrypt", "-i", CONFIG]).success();
    desk.write("secrets/age-recipients.txt", &format!("{a}\n{b}\n{c}\n"));
    desk.run(&["encrypt", "-i", CONFIG]).success();
    let (added, removed) = desk.changed_lines(CONFIG);
    assert!((6..=12).contains(&added) && removed <= 2, "+{added} -{removed}");
    assert!(desk.sops_decrypts(CONFIG, &["C"]).is_some());

    desk.run(&["decrypt", "-i", CONFIG]).success();
    desk.write("secrets/age-recipients.txt", &format!("{a}\n{c}\n"));
    let output = desk.run(&["encrypt", "-i", CONFIG]).success();
    assert!(output.stderr.contains("every value is encrypted anew"), "{output}");
    assert_eq!(desk.sops_decrypts(CONFIG, &["B"]), None);
}

#[test]
fn all_is_every_document_or_nothing() {
    let desk = Desk::new();
    desk.write("secrets/a.yaml", "a: 1\n");
    desk.write("secrets/deep/b.env", "B=1\n");
    desk.write("secrets/README.md", "read me\n");
    desk.write("secrets/app.pem", "a key\n");
    assert_eq!(desk.run(&["encrypt", "--all"]).code, Some(2));
    desk.write("secrets/c.json", "[1]\n");
    let output = desk.run(&["encrypt", "--all", "-i"]);
    assert_eq!(output.code, Some(1));
    assert_eq!((desk.read("secrets/a.yaml"), desk.read("secrets/deep/b.env")), ("a: 1\n".into(), "B=1\n".into()));
    desk.write("secrets/c.json", "{\"c\": 1}\n");
    let output = desk.run(&["encrypt", "--all", "-i"]).success();
    assert!(
        output.stderr.contains("warning: secrets/app.pem: left as it is; name it to encrypt it as a whole\n"),
        "{output}"
    );
    for name in ["a.yaml", "deep/b.env", "c.json"] {
        assert!(desk.sops_decrypts(&format!("secrets/{name}"), &["A"]).is_some(), "{name}");
    }
    assert_eq!(desk.read("secrets/README.md"), "read me\n");
    desk.run(&["decrypt", "--all", "-i"]).success();
    assert_eq!((desk.read("secrets/a.yaml"), desk.read("secrets/deep/b.env")), ("a: 1\n".into(), "B=1\n".into()));
}

#[test]
fn what_does_not_open_says_who_can_help() {
    let mut desk = Desk::with_config();
    desk.env.set("SOPS_AGE_KEY", &identity("C").0);
    let (a, b, c) = (identity("A").1, identity("B").1, identity("C").1);
    let output = desk.run(&["decrypt", CONFIG]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(7), ""));
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(
        lines[..3],
        [
            format!("error: {CONFIG} is encrypted, and none of your identities opens it"),
            format!("  caused by: it is for alice ({a}), bob ({b})"),
            format!("  caused by: yours: {c} (from $SOPS_AGE_KEY)"),
        ]
    );
    assert!(lines[3].starts_with("  caused by: looked for identities in: $SOPS_AGE_KEY; not set: "), "{output}");
    assert_eq!(
        lines[4..],
        [
            "  caused by: alice or bob can add you, with the command below".to_owned(),
            format!("  try: pforge secrets recipients add {c} {CONFIG}"),
            "  try: export SOPS_AGE_KEY_FILE=key.txt".to_owned(),
        ]
    );
    desk.env.unset("SOPS_AGE_KEY");
    let output = desk.run(&["decrypt", CONFIG]);
    assert!(
        output.stderr.starts_with(&format!("error: {CONFIG} is encrypted, and no identity was found\n")),
        "{output}"
    );
    assert!(output.stderr.ends_with("  try: pforge secrets keygen -o key.txt\n"), "{output}");
}

#[test]
fn what_was_tampered_with_is_refused_and_stays() {
    let desk = Desk::with_config();
    let sealed = desk.read(CONFIG);
    let tampered = sealed.replace("    PANGEO_FORGE_API_KEY:", "    extra: \"\"\n    PANGEO:");
    desk.write(CONFIG, &tampered);
    for args in [
        &["decrypt", CONFIG][..],
        &["decrypt", "-i", CONFIG],
        &["rotate", CONFIG],
        &["set", "x", "y"],
        &["get", "ratio"],
    ] {
        let output = desk.run(args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(7), ""), "{output}");
        assert_eq!(desk.read(CONFIG), tampered);
    }
    let reordered =
        sealed.replace("nothing: null\n", "").replace("ratio:", "nothing: \"\"\nratio:").replace("hosts:", "#\nhosts:");
    let swapped: Vec<&str> = reordered.lines().collect();
    desk.write(CONFIG, &(swapped.join("\n") + "\n"));
    let output = desk.run(&["decrypt", "--ignore-mac", CONFIG]);
    assert_eq!(output.code, Some(0), "{output}");
    let plain = desk.write("plain.yaml", "a: 1\n");
    let output = desk.run(&["decrypt", "plain.yaml"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
    assert_eq!(fs::read_to_string(plain).expect("read"), "a: 1\n");
}

#[test]
fn an_identity_is_not_encrypted_for_itself() {
    let desk = Desk::new();
    desk.run(&["keygen", "-o", "key.txt"]).success();
    let text = desk.read("key.txt");
    let output = desk.run(&["encrypt", "-i", "key.txt"]);
    assert_eq!((output.code, desk.read("key.txt")), (Some(2), text));
}
