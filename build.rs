//! Links the engine with libtorch and compiles its C++ shim. Without the feature `engine` there is nothing to do.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "engine")]
    engine();
}

#[cfg(feature = "engine")]
fn engine() {
    let lib = std::env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys tells where libtorch's libraries lie");
    let include = std::path::Path::new(&lib).parent().expect("<libtorch>/lib has a parent").join("include");
    let source = |name: &str| format!("src/engine/{name}.cpp");
    let header = |name: &str| format!("src/engine/{name}.h");
    // The same arithmetic on every processor: nothing is contracted.
    compile("frostline_shim", &["shim", "memory", "pool", "dense", "rmsprop"].map(source), "off", &include);
    // Made of fused multiply-adds.
    compile("frostline_winograd", &["winograd"].map(source), "fast", &include);
    for read in ["crew", "guarded", "lists", "vectorised", "winograd"].map(header) {
        println!("cargo:rerun-if-changed={read}");
    }
    // An installed copy (bin/ beside lib/frostline/) first, then the libtorch of this checkout.
    let origin = if macos() { "@loader_path" } else { "$ORIGIN" };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{origin}/../lib/frostline");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
}

#[cfg(feature = "engine")]
fn macos() -> bool {
    std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("macos")
}

#[cfg(feature = "engine")]
fn compile(library: &str, sources: &[String], contract: &str, include: &std::path::Path) {
    for source in sources {
        println!("cargo:rerun-if-changed={source}");
    }
    let mut shim = cc::Build::new();
    shim.cpp(true)
        .std("c++17")
        .warnings(false)
        .include(include)
        .include(include.join("torch/csrc/api/include"))
        // In a debug build too: these run on every element.
        .opt_level(3)
        .flag(format!("-ffp-contract={contract}"))
        .flag("-fno-math-errno")
        .flag("-fno-trapping-math")
        .flag_if_supported("-Wno-psabi")
        .files(sources);
    if !macos() {
        // The library is the one that libtorch brings: its name is the same, and the search path finds that one first.
        shim.flag("-fopenmp");
        println!("cargo:rustc-link-lib=gomp");
    }
    shim.compile(library);
}
