# Every external library is found here and linked by one layer only.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(OPENSSL_CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(OPENSSL_SSL REQUIRED IMPORTED_TARGET libssl)
pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-i18n icu-uc)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(XLSXWRITER REQUIRED IMPORTED_TARGET xlsxwriter)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka) # without it there are no tests: tools/setup --tests

# LevelDB ships no .pc file.
find_library(LEVELDB_LIBRARY leveldb REQUIRED)
find_path(LEVELDB_INCLUDE leveldb/c.h REQUIRED)
add_library(vg_leveldb INTERFACE)
target_include_directories(vg_leveldb INTERFACE ${LEVELDB_INCLUDE})
target_link_libraries(vg_leveldb INTERFACE ${LEVELDB_LIBRARY})

# llhttp comes as sources; compiled with our build, relaxed.
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/include/llhttp /usr/share/include/llhttp REQUIRED)
set(LLHTTP_SOURCE /usr/share/llhttp)
add_library(vg_llhttp STATIC ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c ${LLHTTP_SOURCE}/llhttp.c)
target_include_directories(vg_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
# Without it the parser takes blanks inside header names, which RFC 9112 section 5.1 forbids.
target_compile_definitions(vg_llhttp PUBLIC LLHTTP_STRICT_MODE=1)

find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_C protoc-gen-c REQUIRED)
set(VG_GOOGLEAPIS_INCLUDE /usr/share/gocode/src/github.com/gogo/googleapis)
set(VG_GRPC_INCLUDE /usr/share/grpc-proto)
