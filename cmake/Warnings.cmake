# Warnings every target of ours is compiled with. Generated and packaged sources are their own, relaxed targets.
option(VG_WERROR "Warnings are errors" ON)
option(VG_HARDEN "Release hardening" OFF)

add_library(vg_warnings INTERFACE)
target_compile_options(vg_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wswitch-enum -Wundef
    -Wformat=2 -Wcast-qual -Wwrite-strings
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> # snprintf into a bounded array is how texts are cut here; clang knows no such warning
    $<$<BOOL:${VG_WERROR}>:-Werror>
    $<$<C_COMPILER_ID:Clang>:-Wthread-safety>)

if(VG_HARDEN)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
