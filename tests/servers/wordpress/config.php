<?php
// wp-config.php of the test site; the database's socket lies beside the site's folder.
define('DB_NAME', 'wp');
define('DB_USER', 'wp');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:' . dirname(__DIR__) . '/db.sock');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_HTTP_BLOCK_EXTERNAL', true); // a test site asks nobody anything
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_DEBUG', false);
$table_prefix = 'wp_';
require ABSPATH . 'wp-settings.php';
