#include "gateway/web/ui.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

static struct vg_bytes map_file(const char *directory, const char *name)
{
    char path[1200];
    struct stat status;
    struct vg_bytes file = { NULL, 0 };
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return file;
    }
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        status.st_size <= VG_UI_FILE_BYTES_MAX) {
        size_t size = (size_t)status.st_size;
        void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        file = data == MAP_FAILED ? file : vg_bytes(data, size);
    }
    (void)close(descriptor);
    return file;
}

static void unmap(struct vg_bytes *file)
{
    if (file->data != NULL) {
        (void)munmap((void *)(uintptr_t)file->data, file->size);
        *file = vg_bytes(NULL, 0);
    }
}

void vg_ui_init(struct vg_ui *ui, const char *directory, bool gzip)
{
    *ui = (struct vg_ui){ .script = { NULL, 0 } };
    if (directory[0] != 0) {
        ui->script = map_file(directory, "swagger-ui-bundle.js");
        ui->style = map_file(directory, "swagger-ui.css");
    }
    if (ui->script.data == NULL || ui->style.data == NULL) {
        unmap(&ui->script);
        unmap(&ui->style);
    }
    struct vg_bytes html = vg_bytes_text(ui->script.data != NULL ? page : page_without);
    const struct {
        const char *path;
        const char *content_type;
        struct vg_bytes content;
    } rows[VG_UI_PAGES] = {
        { "/docs", html_type, html },
        { "/docs/", html_type, html },
        { "/docs/start.js", script_type, vg_bytes_text(start_script) },
        { "/docs/swagger-ui-bundle.js", script_type, ui->script },
        { "/docs/swagger-ui.css", "text/css; charset=UTF-8", ui->style },
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
    unmap(&ui->script);
    unmap(&ui->style);
}

const struct vg_web_page *vg_ui_find(const struct vg_ui *ui, struct vg_bytes path)
{
    return vg_web_page_find(ui->pages, VG_UI_PAGES, path);
}
