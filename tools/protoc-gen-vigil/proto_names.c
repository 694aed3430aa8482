/* See proto_names.h. */
#include "tools/protoc-gen-vigil/proto_names.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "tools/protoc-gen-vigil/text_pool.h"

/* The list of protoc-c 1.4.1, c_helpers.cc: kKeywordsList. */
static const char *const keywords[] = {
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "compl",
    "const",
    "const_cast",
    "continue",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "not",
    "not_eq",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

bool vg_proto_names_is_keyword(const char *name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (strcmp(keywords[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_char(struct vg_text *text, int character)
{
    char byte = (char)character;
    vg_text_add(text, &byte, 1);
}

char *vg_proto_names_struct(const char *full_name)
{
    struct vg_text text = { 0 };
    bool next_is_upper = true;
    for (const char *at = full_name; *at != '\0'; at++) {
        if (*at == '.') {
            vg_text_add(&text, "__", 2);
            next_is_upper = true;
        } else if (*at == '_') {
            next_is_upper = true;
        } else {
            add_char(&text, next_is_upper ? toupper((unsigned char)*at) : *at);
            next_is_upper = false;
        }
    }
    return text.data;
}

/* `_` goes between a lower and a following upper case letter; a dot becomes `separator`. */
static char *separate_words(const char *name, const char *separator)
{
    struct vg_text text = { 0 };
    bool was_upper = true;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '.') {
            vg_text_add(&text, separator, strlen(separator));
            was_upper = true;
            continue;
        }
        bool is_upper = isupper((unsigned char)*at) != 0;
        if (is_upper && !was_upper) {
            add_char(&text, '_');
        }
        add_char(&text, tolower((unsigned char)*at));
        was_upper = is_upper;
    }
    return text.data;
}

char *vg_proto_names_lower(const char *full_name)
{
    return separate_words(full_name, "__");
}

char *vg_proto_names_symbol(const char *full_name)
{
    return separate_words(full_name, "_");
}

char *vg_proto_names_snake(const char *name)
{
    return separate_words(name, "_");
}

char *vg_proto_names_member(const char *field_name)
{
    char *member = vg_text_pool_print("%s", field_name);
    for (char *at = member; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return vg_proto_names_is_keyword(member) ? vg_text_pool_print("%s_", member) : member;
}

char *vg_proto_names_value_prefix(const char *enum_name)
{
    char *prefix = vg_text_pool_print("%s_", separate_words(enum_name, "_"));
    for (char *at = prefix; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    return prefix;
}

char *vg_proto_names_word(const char *rest, Vigil__WordCase word_case)
{
    struct vg_text text = { 0 };
    bool next_is_upper = false;
    for (const char *at = rest; *at != '\0'; at++) {
        if (word_case == VIGIL__WORD_CASE__WORD_CASE_CAMEL && *at == '_') {
            next_is_upper = true;
        } else if (word_case == VIGIL__WORD_CASE__WORD_CASE_CAMEL) {
            add_char(&text, next_is_upper ? *at : tolower((unsigned char)*at));
            next_is_upper = false;
        } else if (word_case == VIGIL__WORD_CASE__WORD_CASE_LOWER) {
            add_char(&text, tolower((unsigned char)*at));
        } else {
            add_char(&text, *at);
        }
    }
    return text.data == NULL ? vg_text_pool_print("%s", "") : text.data;
}

const char *vg_proto_names_last(const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    return dot == NULL ? full_name : dot + 1;
}
