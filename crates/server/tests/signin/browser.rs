//! A browser without a screen: cookies, forms, and redirects followed one at a time.

use std::collections::BTreeMap;

use parlor_testkit::wait::PATIENCE;
use reqwest::{Client, Response, Url, header, redirect::Policy};

/// Keeps cookies for each origin, as far as these tests need it (paths aside).
pub struct Browser {
    http: Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page, or where another is.
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub to: Option<Url>,
    pub text: String,
}

impl Browser {
    pub fn new() -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().timeout(PATIENCE);
        Self { http: http.build().expect("an HTTP client can be made"), cookies: BTreeMap::new() }
    }

    fn jar(&self, url: &Url) -> String {
        let jar = self.cookies.get(&url.origin().ascii_serialization());
        let pairs = jar.into_iter().flatten().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    async fn keep(&mut self, url: Url, response: Response) -> Page {
        let jar = self.cookies.entry(url.origin().ascii_serialization()).or_default();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is text");
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            let gone = value.is_empty() || rest.contains("Max-Age=0") || rest.contains("1970");
            if gone {
                jar.remove(name)
            } else {
                jar.insert(name.into(), value.into())
            };
        }
        let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let to = to.and_then(|to| url.join(to).ok());
        let status = response.status().as_u16();
        Page { url, status, to, text: response.text().await.unwrap_or_default() }
    }

    pub async fn get(&mut self, url: Url) -> Page {
        let request = self.http.get(url.clone()).header(header::COOKIE, self.jar(&url));
        let response = request.send().await.expect("an answer");
        self.keep(url, response).await
    }

    pub async fn post(&mut self, url: Url, form: &[(&str, &str)]) -> Page {
        let request = self.http.post(url.clone()).header(header::COOKIE, self.jar(&url)).form(form);
        let response = request.send().await.expect("an answer");
        self.keep(url, response).await
    }

    /// Follows redirects until there is a page, or one leads to `stop`, which is not asked for.
    pub async fn follow(&mut self, mut page: Page, stop: &str) -> Page {
        for _ in 0..20 {
            match page.to.clone() {
                Some(to) if to.as_str().starts_with(stop) => return page,
                Some(to) => page = self.get(to).await,
                None => return page,
            }
        }
        panic!("redirects without an end")
    }
}

/// Where the first form of a page goes.
pub fn form_action(page: &Page) -> Url {
    let (_, rest) = page.text.split_once("action=\"").unwrap_or_else(|| panic!("no form: {}", page.text));
    let (action, _) = rest.split_once('"').expect("an action ends");
    page.url.join(&action.replace("&amp;", "&")).expect("an address")
}
