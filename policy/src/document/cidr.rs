//! Address ranges in canonical form.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of IP addresses. A bare address is the range of itself; `::ffff:a.b.c.d` is IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// Why a text is not an address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CidrError {
    /// What stands before the slash is not an IP address in its usual spelling.
    BadAddress,
    /// What stands after the slash is not a number of bits that such an address has.
    BadPrefix,
    /// Bits after the prefix are set: the address names a host, not a network.
    HostBits {
        /// The network that the address lies in.
        network: Cidr,
    },
}

impl Cidr {
    /// Reads `10.0.0.0/8`, `10.1.2.3`, `2001:db8::/32` or `::ffff:10.0.0.0/104`.
    ///
    /// # Errors
    /// If the text is not a range, or has bits set after its prefix.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        // The standard library takes neither octal, short, zoned nor bracketed forms.
        let address: IpAddr = address.parse().map_err(|_| CidrError::BadAddress)?;
        let bits: u8 = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(text) => canonical_number(text).filter(|n| *n <= bits).ok_or(CidrError::BadPrefix)?,
        };
        let (address, prefix) = match (address, prefix.checked_sub(96)) {
            (IpAddr::V6(v6), Some(short)) => match v6.to_ipv4_mapped() {
                Some(v4) => (IpAddr::V4(v4), short),
                None => (address, prefix),
            },
            _ => (address, prefix),
        };
        let network = Self { network: masked(address, prefix), prefix };
        if network.network == address { Ok(network) } else { Err(CidrError::HostBits { network }) }
    }

    /// Whether the address lies in the range. An IPv4-mapped IPv6 address counts as its IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && masked(address, self.prefix) == self.network
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

/// A number without sign and leading zeros.
fn canonical_number(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadAddress => {
                f.write_str("an address such as `10.0.0.1` or a network such as `10.0.0.0/8` is wanted")
            }
            Self::BadPrefix => {
                f.write_str("a number of bits must follow the slash, at most 32 for IPv4 and 128 for IPv6")
            }
            Self::HostBits { network } => write!(f, "bits are set after the prefix, the network is `{network}`"),
        }
    }
}

impl std::error::Error for CidrError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(range: &str, address: &str) -> bool {
        Cidr::parse(range).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        assert!(holds("10.0.0.0/8", "10.255.255.255"));
        assert!(!holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("10.1.2.3", "10.1.2.3"));
        assert!(!holds("10.1.2.3", "10.1.2.4"));
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(!holds("::/0", "::ffff:10.0.0.1"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::"));
    }

    #[test]
    fn mapped_addresses_are_ipv4_on_both_sides() {
        assert!(holds("10.0.0.0/8", "::ffff:10.0.0.1"));
        assert!(holds("::ffff:10.0.0.0/104", "10.0.0.1"));
        assert!(holds("::ffff:10.0.0.1", "10.0.0.1"));
        assert_eq!(Cidr::parse("::ffff:10.0.0.0/104").unwrap().to_string(), "10.0.0.0/8");
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in [
            "",
            "10.0.0",
            "010.0.0.1",
            "10.0.0.0.",
            "0x0a000001",
            "167772161",
            "localhost",
            "[::1]",
            "fe80::1%eth0",
            " 10.0.0.1",
        ] {
            assert_eq!(Cidr::parse(text), Err(CidrError::BadAddress), "{text}");
        }
        for text in
            ["10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129", "10.0.0.0/255.0.0.0"]
        {
            assert_eq!(Cidr::parse(text), Err(CidrError::BadPrefix), "{text}");
        }
    }

    #[test]
    fn set_host_bits_are_refused_with_the_network_meant() {
        let error = Cidr::parse("10.1.2.3/8").unwrap_err();
        assert_eq!(error.to_string(), "bits are set after the prefix, the network is `10.0.0.0/8`");
        let error = Cidr::parse("2001:db8::1/64").unwrap_err();
        assert_eq!(error.to_string(), "bits are set after the prefix, the network is `2001:db8::/64`");
    }

    proptest! {
        #[test]
        fn a_printed_range_is_the_same_range(bits: u32, prefix in 0_u8..=32, other: u32) {
            let network = Cidr { network: masked(IpAddr::V4(bits.into()), prefix), prefix };
            prop_assert_eq!(Cidr::parse(&network.to_string()), Ok(network));
            let inside = prefix == 0 || bits >> (32 - prefix) == other >> (32 - prefix);
            prop_assert_eq!(network.contains(IpAddr::V4(other.into())), inside);
        }
    }
}
