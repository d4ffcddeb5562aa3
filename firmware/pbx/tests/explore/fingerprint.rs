//! What makes two worlds the same: everything a value holds, apart from what chance and clocks put there. A serializer
//! of its own walks any plain value. Tags, branches, identities and slab keys are not compared by their text but by where
//! the same one stands again; moments are compared by their distance from now; tables are compared as sets. Left out are
//! indexes that follow from what is compared, counters that nobody reads, and the randomness still to come. It only
//! merges worlds: a difference that it sees without need costs time, nothing else.

use serde::Serialize;
use serde::ser;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A run of letters and digits this long is a tag, a branch, a Call-ID or an identity.
const TOKEN_CHARS_MIN: usize = 16;
const REFERENCE: u8 = 0xff;

/// Fields that are left out, by the struct they stand in.
const LEFT_OUT: [(&str, &str); 27] = [
    ("Pbx", "random"),
    ("Pbx", "next_event"),
    ("Pbx", "stored"),
    ("Pbx", "last_input"),
    ("Pbx", "configs"),
    ("Pbx", "ports"),
    ("Pbx", "acquaintances"),
    ("Endpoint", "settings"),
    ("Endpoint", "random"),
    ("Endpoint", "guard"),
    ("Endpoint", "registrar"),
    ("Endpoint", "by_tag"),
    ("Endpoint", "timers"),
    ("Endpoint", "dropped"),
    ("Endpoint", "streams"),
    ("Endpoint", "subscriptions"),
    ("Table", "servers"),
    ("Table", "clients"),
    ("Table", "merges"),
    ("Timers", "order"),
    ("Slab", "free"),
    ("Slab", "len"),
    ("Agent", "tally"),
    ("Agent", "state_since"),
    ("Agent", "takes"),
    ("Offer", "began"),
    ("Rtp", "send"),
];

/// Fields of `Pbx` that the checks read.
const SEEN: [&str; 5] = ["calls", "legs", "offers", "agents", "queues"];

/// What is compared of a value.
#[derive(Clone, Default)]
pub struct Print {
    now_us: u64,
    /// Keys of different endpoints are different, even when their numbers are equal.
    owner: u64,
    bytes: Vec<u8>,
    /// Where `bytes` has `REFERENCE`: what is referred to.
    refs: Vec<u64>,
    field: &'static str,
    slots_of: Option<&'static str>,
    /// What `SEEN` holds, as JSON.
    pub seen: Map<String, Value>,
}

impl Print {
    /// Of one value at a moment in µs.
    pub fn of(value: &impl Serialize, now_us: u64, owner: u64) -> Print {
        let mut print = Print { now_us, owner, ..Print::default() };
        value.serialize(&mut print).unwrap();
        print
    }

    /// Of a message.
    pub fn of_text(text: &[u8]) -> Print {
        let mut print = Print::default();
        print.text(text);
        print
    }

    /// Puts another one behind this one.
    pub fn append(&mut self, other: &Print) {
        self.number(other.bytes.len() as u64);
        self.bytes.extend_from_slice(&other.bytes);
        self.refs.extend_from_slice(&other.refs);
    }

    /// A plain number.
    pub fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Equal for equal worlds; by chance for one pair of others in 2^64.
    pub fn hash(&self) -> u64 {
        let mut names: HashMap<u64, u32> = HashMap::new();
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.bytes);
        for reference in &self.refs {
            let next = names.len() as u32;
            hasher.write_u32(*names.entry(*reference).or_insert(next));
        }
        hasher.finish()
    }

    fn below(&self) -> Print {
        Print { now_us: self.now_us, owner: self.owner, ..Print::default() }
    }

    fn refer(&mut self, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.refs.push(hasher.finish());
        self.bytes.push(REFERENCE);
    }

    fn text(&mut self, text: &[u8]) {
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (token, after) = rest.split_at(word);
            if word >= TOKEN_CHARS_MIN {
                self.refer(token);
            } else {
                self.bytes.extend_from_slice(token);
            }
            let gap = after.iter().position(u8::is_ascii_alphanumeric).unwrap_or(after.len());
            self.bytes.extend_from_slice(&after[..gap]);
            rest = &after[gap..];
        }
        self.bytes.push(0);
    }

    /// Parts whose order means nothing, behind each other in an order of their own.
    fn append_sorted(&mut self, mut parts: Vec<Print>) {
        parts.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        self.number(parts.len() as u64);
        for part in parts {
            self.bytes.extend_from_slice(&part.bytes);
            self.refs.extend_from_slice(&part.refs);
        }
    }
}

/// Something cannot be printed.
#[derive(Debug)]
pub struct Unprintable(String);

impl Display for Unprintable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unprintable {}

impl ser::Error for Unprintable {
    fn custom<T: Display>(text: T) -> Unprintable {
        Unprintable(text.to_string())
    }
}

type Done = Result<(), Unprintable>;

macro_rules! plain {
    ($($name:ident: $type:ty),*) => { $(
        fn $name(self, v: $type) -> Done {
            self.bytes.extend_from_slice(&v.to_le_bytes());
            Ok(())
        }
    )* };
}

impl<'p> ser::Serializer for &'p mut Print {
    type Ok = ();
    type Error = Unprintable;
    type SerializeSeq = Parts<'p>;
    type SerializeTuple = Parts<'p>;
    type SerializeTupleStruct = Parts<'p>;
    type SerializeTupleVariant = Parts<'p>;
    type SerializeMap = Entries<'p>;
    type SerializeStruct = Fields<'p>;
    type SerializeStructVariant = Fields<'p>;

    plain! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64
    }

    fn serialize_bool(self, v: bool) -> Done {
        self.serialize_u8(v.into())
    }

    fn serialize_char(self, v: char) -> Done {
        self.serialize_u32(v.into())
    }

    fn serialize_str(self, v: &str) -> Done {
        self.text(v.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, v: &[u8]) -> Done {
        self.text(v);
        Ok(())
    }

    fn serialize_none(self) -> Done {
        self.serialize_u8(0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.bytes.push(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        Ok(())
    }

    fn serialize_unit_variant(self, _name: &'static str, index: u32, _variant: &'static str) -> Done {
        self.serialize_u32(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Done {
        let at = self.bytes.len();
        value.serialize(&mut *self)?;
        match name {
            "Instant" => {
                let moment = self.bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
                let moment = moment.ok_or_else(|| Unprintable("a moment is 8 bytes".into()))?;
                self.bytes.truncate(at);
                self.number(moment.wrapping_sub(self.now_us));
            }
            "Wall" => self.bytes.truncate(at),
            _ => {}
        }
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Done {
        self.serialize_u32(index)?;
        value.serialize(self)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Parts<'p>, Unprintable> {
        let slots_of = self.slots_of.take();
        Ok(Parts { begin: self.bytes.len(), count: 0, slots_of, slots: vec![], print: self })
    }

    fn serialize_tuple(self, len: usize) -> Result<Parts<'p>, Unprintable> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Parts<'p>, Unprintable> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        len: usize,
    ) -> Result<Parts<'p>, Unprintable> {
        (&mut *self).serialize_u32(index)?;
        self.serialize_seq(Some(len))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Entries<'p>, Unprintable> {
        Ok(Entries { entries: vec![], print: self })
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Fields<'p>, Unprintable> {
        Ok(Fields { name, begin: self.bytes.len(), table: self.field, print: self })
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields<'p>, Unprintable> {
        (&mut *self).serialize_u32(index)?;
        self.serialize_struct(variant, len)
    }
}

/// A list, or the slots of a slab.
pub struct Parts<'p> {
    print: &'p mut Print,
    begin: usize,
    count: usize,
    slots_of: Option<&'static str>,
    slots: Vec<Print>,
}

impl Parts<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let Some(key) = self.slots_of else {
            self.count += 1;
            return value.serialize(&mut *self.print);
        };
        // Generation, then the value or none.
        let mut slot = self.print.below();
        value.serialize(&mut slot)?;
        let content = slot.bytes.split_off(4);
        if content != [0] {
            let mut whole = self.print.below();
            whole.refer((self.print.owner, key, self.count as u32, &slot.bytes));
            whole.bytes.extend_from_slice(&content);
            whole.refs.append(&mut slot.refs);
            self.slots.push(whole);
        }
        self.count += 1;
        Ok(())
    }

    fn close(self) -> Done {
        if self.slots_of.is_some() {
            self.print.append_sorted(self.slots);
        } else if self.print.bytes.len() - self.begin == self.count {
            // A list of single bytes is a message.
            let text = self.print.bytes.split_off(self.begin);
            self.print.text(&text);
        } else {
            self.print.number(self.count as u64);
        }
        Ok(())
    }
}

macro_rules! parts {
    ($($trait:ident $method:ident),*) => { $(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Unprintable;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.part(value)
            }
            fn end(self) -> Done {
                self.close()
            }
        }
    )* };
}

parts!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
       SerializeTupleVariant serialize_field);

/// A map.
pub struct Entries<'p> {
    print: &'p mut Print,
    entries: Vec<Print>,
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unprintable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let mut entry = self.print.below();
        key.serialize(&mut entry)?;
        self.entries.push(entry);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        match self.entries.last_mut() {
            Some(entry) => value.serialize(entry),
            None => Err(Unprintable("a value without a key".into())),
        }
    }

    fn end(self) -> Done {
        self.print.append_sorted(self.entries);
        Ok(())
    }
}

/// A struct.
pub struct Fields<'p> {
    print: &'p mut Print,
    name: &'static str,
    begin: usize,
    /// The field that the struct is.
    table: &'static str,
}

impl Fields<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, field: &'static str, value: &T) -> Done {
        if LEFT_OUT.contains(&(self.name, field)) {
            return Ok(());
        }
        if self.name == "Pbx" && SEEN.contains(&field) {
            let json = serde_json::to_value(value).map_err(|e| Unprintable(e.to_string()))?;
            self.print.seen.insert(field.to_string(), json);
        }
        if (self.name, field) == ("Slab", "slots") {
            let keys = [("calls", "CallKey"), ("legs", "LegKey"), ("offers", "OfferKey"), ("slab", "TxKey")];
            let key = keys.into_iter().find(|(table, _)| *table == self.table).map_or("DialogKey", |(_, key)| key);
            self.print.slots_of = Some(key);
        }
        self.print.field = field;
        value.serialize(&mut *self.print)
    }

    fn close(self) -> Done {
        if self.name.ends_with("Key") && self.print.bytes.len() == self.begin + 8 {
            let key = self.print.bytes.split_off(self.begin);
            let index = u32::from_le_bytes([key[0], key[1], key[2], key[3]]);
            self.print.refer((self.print.owner, self.name, index, &key[4..].to_vec()));
        }
        Ok(())
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Unprintable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        self.field(key, value)
    }

    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeStructVariant for Fields<'_> {
    type Ok = ();
    type Error = Unprintable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        self.field(key, value)
    }

    fn end(self) -> Done {
        self.close()
    }
}
