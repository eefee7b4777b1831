<?php
// manage.php SITE_FOLDER ADDRESS ACTION < argument as JSON > answer as JSON: what an editor would do, done by WordPress itself.
[, $site, $address] = $argv;
define('ACTION', $argv[3]); // WordPress has globals of its own, $action among them
$_SERVER['HTTP_HOST'] = parse_url($address, PHP_URL_HOST) . ':' . parse_url($address, PHP_URL_PORT);
if (ACTION === 'install') {
    define('WP_INSTALLING', true);
}
require "$site/wp-load.php";
$argument = json_decode(stream_get_contents(STDIN), true);
kses_remove_filters(); // an editor may write any HTML

function insert(array $post): int
{
    $number = wp_insert_post(wp_slash([
        'post_title' => $post['title'],
        'post_content' => $post['content'],
        'post_date_gmt' => gmdate('Y-m-d H:i:s', strtotime($post['published'])),
        'post_password' => $post['password'],
        'post_author' => $post['author'],
        'post_status' => 'publish',
    ]), true);
    if (is_wp_error($number)) {
        throw new RuntimeException($number->get_error_message());
    }
    return $number;
}

function insert_all(array $posts): array
{
    global $wpdb;
    wp_defer_term_counting(true);
    wp_suspend_cache_addition(true);
    $wpdb->query('START TRANSACTION');
    $numbers = array_map('insert', $posts);
    $wpdb->query('COMMIT');
    wp_defer_term_counting(false);
    return $numbers;
}

function install(string $address): void
{
    require ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install('Invented workers monitor', 'editor', 'editor@example.test', true, '', 'unused');
    set_option('siteurl', $address);
    set_option('home', $address);
    set_option('permalink_structure', '/%postname%/');
    clear();
}

function set_option(string $name, string $value): void
{
    update_option($name, $value);
    delete_option('rewrite_rules'); // made anew from the options at the next request
}

function clear(): void
{
    foreach (get_posts(['numberposts' => -1, 'post_status' => 'any', 'post_type' => ['post', 'page'], 'fields' => 'ids']) as $number) {
        wp_delete_post($number, true);
    }
}

echo json_encode(match (ACTION) {
    'install' => install($argv[2]),
    'insert' => insert_all($argument),
    'edit' => wp_update_post(wp_slash(['ID' => $argument['number'], 'post_content' => $argument['content']])),
    'delete' => (bool) wp_delete_post($argument['number'], true),
    'clear' => clear(),
    'option' => set_option($argument['name'], $argument['value']),
});
