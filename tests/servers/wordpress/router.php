<?php
// What the rewrite rules of a web server do: files as they are, everything else below the site's path to WordPress.
// A site with plain permalinks has no such rules: there only its front page is WordPress.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$base = getenv('SITE_PATH');
$site = $_SERVER['DOCUMENT_ROOT'] . $base;
if (is_file($_SERVER['DOCUMENT_ROOT'] . $path)) {
    return false;
}
$has_rules = !file_exists(dirname($_SERVER['DOCUMENT_ROOT']) . '/plain-permalinks');
if (!str_starts_with($path, "$base/") || (!$has_rules && $path !== "$base/")) {
    http_response_code(404);
    echo '<!DOCTYPE html><title>404 Not Found</title><h1>Not Found</h1>';
    return true;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = "$base/index.php";
$_SERVER['SCRIPT_FILENAME'] = "$site/index.php";
chdir($site);
require "$site/index.php";
