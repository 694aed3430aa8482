#include "gateway/web/ui.h"

#include <stdio.h>
#include <sys/stat.h>

#include "core/base/compiler.h"

static const char html_type[] = "text/html; charset=UTF-8";
static const char script_type[] = "text/javascript; charset=UTF-8";

static const char page[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"UTF-8\">\n<title>vigil</title>\n"
    "<link rel=\"icon\" type=\"image/png\" href=\"data:,\">\n<link rel=\"stylesheet\" "
    "href=\"/docs/swagger-ui.css\">\n</head>\n<body>\n"
    "<div id=\"ui\"></div>\n<script src=\"/docs/swagger-ui-bundle.js\"></script>\n"
    "<script src=\"/docs/start.js\"></script>\n</body>\n</html>\n";

static const char page_without[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"UTF-8\">\n<title>vigil</title>\n"
    "</head>\n<body>\n<p>Swagger UI is not installed on this server: the setting swagger_ui names "
    "no "
    "directory with its files. <code>tools/setup</code> puts them into "
    "<code>build/swagger-ui</code>.</p>\n"
    "<p>The interface is described by <a href=\"/openapi.json\">/openapi.json</a>.</p>\n"
    "</body>\n</html>\n";

/* No validator of somebody else's, and no key that outlives the page. */
static const char start_script[] =
    "window.addEventListener('load', () => {\n"
    "    SwaggerUIBundle({\n"
    "        url: '/openapi.json', dom_id: '#ui', deepLinking: true, docExpansion: 'none',\n"
    "        validatorUrl: null, persistAuthorization: false, queryConfigEnabled: false,\n"
    "        filter: true, displayRequestDuration: true,\n"
    "        presets: [SwaggerUIBundle.presets.apis], layout: 'BaseLayout',\n"
    "    });\n"
    "});\n";

/* The file as it is now; empty when there is none that would do. It is not mapped: one that is
 * written anew meanwhile is shorter for a moment, and reading behind its end would be the end of
 * us.
 */
static void read_file(const char *directory, const char *name, struct vg_buffer *out)
{
    char path[1200];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    vg_buffer_init(out, VG_UI_FILE_BYTES_MAX);
    FILE *file = fopen(path, "rbe");
    struct stat status;
    if (file == NULL) {
        return;
    }
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        status.st_size <= VG_UI_FILE_BYTES_MAX && vg_buffer_reserve(out, (size_t)status.st_size)) {
        out->size = fread(out->data, 1, (size_t)status.st_size, file);
    }
    (void)fclose(file);
}

void vg_ui_init(struct vg_ui *ui, const char *directory, bool gzip)
{
    *ui = (struct vg_ui){ .script = { .data = NULL } };
    if (directory[0] != 0) {
        read_file(directory, "swagger-ui-bundle.js", &ui->script);
        read_file(directory, "swagger-ui.css", &ui->style);
    }
    if (ui->script.size == 0 || ui->style.size == 0) {
        vg_buffer_dispose(&ui->script);
        vg_buffer_dispose(&ui->style);
    }
    struct vg_bytes html = vg_bytes_text(ui->script.size > 0 ? page : page_without);
    const struct {
        const char *path;
        const char *content_type;
        struct vg_bytes content;
    } rows[VG_UI_PAGES] = {
        { "/docs", html_type, html },
        { "/docs/", html_type, html },
        { "/docs/start.js", script_type, vg_bytes_text(start_script) },
        { "/docs/swagger-ui-bundle.js", script_type, vg_buffer_bytes(&ui->script) },
        { "/docs/swagger-ui.css", "text/css; charset=UTF-8", vg_buffer_bytes(&ui->style) },
    };
    for (size_t i = 0; i < VG_UI_PAGES; i++) {
        vg_web_page_init(&ui->pages[i], rows[i].path, rows[i].content_type, rows[i].content, gzip);
        ui->pages[i].is_page = true;
    }
}

void vg_ui_dispose(struct vg_ui *ui)
{
    for (size_t i = 0; i < VG_UI_PAGES; i++) {
        vg_web_page_dispose(&ui->pages[i]);
    }
    vg_buffer_dispose(&ui->script);
    vg_buffer_dispose(&ui->style);
}

const struct vg_web_page *vg_ui_find(const struct vg_ui *ui, struct vg_bytes path)
{
    return vg_web_page_find(ui->pages, VG_UI_PAGES, path);
}
