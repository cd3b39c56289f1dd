//! Configurations from outside: good ones, bad ones, random ones.
